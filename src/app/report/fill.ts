/** Fills a template in this thread. Untrusted templates go through {@link fillTemplate}, which bounds it. */
import { LoopPlugin, TemplateHandler, TemplateSyntaxError } from "easy-template-x"
import type { Filled, Filling } from "./Filling.ts"
import { guardZip, type ZipLimits } from "./guardZip.ts"
import { Lookup } from "./Lookup.ts"
import { Unfillable } from "./Unfillable.ts"
import { ValuePlugin, valueType } from "./ValuePlugin.ts"

const limits: ZipLimits = { maxEntries: 2_000, maxBytes: 64 * 1024 * 1024 }

const delimiters = {
  tagStart: "{{",
  tagEnd: "}}",
  containerTagOpen: "#",
  containerTagClose: "/",
  // Options after a name: not offered, so that names may hold brackets. No document holds these signs.
  tagOptionsStart: "\ue000\ue001",
  tagOptionsEnd: "\ue001\ue000"
}

export const fill = async (filling: Filling): Promise<Filled> => {
  const template = Buffer.from(filling.template)
  await guardZip(template, limits)
  const lookup = new Lookup(filling)
  const handler = new TemplateHandler({
    delimiters,
    plugins: [new LoopPlugin(), new ValuePlugin()],
    defaultContentType: valueType,
    containerContentType: "loop",
    maxXmlDepth: 100,
    scopeDataResolver: lookup.resolve
  })
  const bytes = await handler.process(template, {})
  return { bytes: new Uint8Array(bytes), unfilled: lookup.unfilled }
}

/** Why it could not be filled, for whoever made the template. */
export const refusalOf = (error: unknown): string => {
  if (error instanceof Unfillable) return error.message
  if (error instanceof TemplateSyntaxError)
    return `the template has a mistake: ${error.message.slice(0, 300)}`
  return "the template is not a Word document (.docx), or it is damaged; save it again with Word"
}
