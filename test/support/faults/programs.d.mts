/** The first of these programs that is here, as a path, or null. */
export const findProgram: (...names: ReadonlyArray<string>) => string | null
/** Installs Debian packages, or throws one line that says which are needed. */
export const install: (packages: ReadonlyArray<string>) => void
