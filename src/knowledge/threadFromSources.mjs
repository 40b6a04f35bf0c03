/**
 * Lets a thread run the sources as they are, in development and tests; the build leaves it out.
 * Only what is TypeScript is transpiled: tsx's own hooks would also go through pdf.js, for seconds in every thread.
 */
import { register } from "node:module"

const typescript = import.meta.resolve("typescript")
const hooks = `
  import { readFile } from "node:fs/promises"
  import Ts from ${JSON.stringify(typescript)}
  const compilerOptions = { target: Ts.ScriptTarget.ES2023, module: Ts.ModuleKind.ESNext }
  export const load = async (url, context, next) => {
    if (!url.startsWith("file:") || !url.endsWith(".ts")) return next(url, context)
    const source = Ts.transpileModule(await readFile(new URL(url), "utf8"), { compilerOptions }).outputText
    return { format: "module", source, shortCircuit: true }
  }
`
register(`data:text/javascript,${encodeURIComponent(hooks)}`)
