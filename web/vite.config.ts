import { fileURLToPath } from "node:url"
import react from "@vitejs/plugin-react"
import { defineConfig } from "vite"

/** The page is built into dist/web, which the server serves. `npx vite web` develops it against a running server. */
export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  plugins: [react()],
  build: {
    outDir: fileURLToPath(new URL("../dist/web", import.meta.url)),
    emptyOutDir: true,
    target: "es2022",
    // One file with everything: well under a megabyte, and nothing is fetched from anywhere else.
    chunkSizeWarningLimit: 1200,
    modulePreload: { polyfill: false }
  },
  server: { proxy: { "/api": { target: "http://127.0.0.1:7860", ws: true } } }
})
