/** Where this package lies, from its sources (`src/`) and from what the build makes of them (files right in `dist/`). */
export const packageRoot = new URL("../", import.meta.url)

export const isBuilt = !import.meta.url.endsWith(".ts")
