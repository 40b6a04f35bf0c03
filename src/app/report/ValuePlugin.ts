/** Puts a value where its variable stands: running text as such, tables, lists and images as Word's own. */
import {
  ImagePlugin,
  officeMarkup,
  ScopeData,
  type Tag,
  TagPlacement,
  type TemplateContext,
  TemplatePlugin,
  type TextNodeTag,
  TextPlugin,
  type XmlNode,
  xml
} from "easy-template-x"
import { type Block, blocksAsText, blocksOf } from "./blocks.ts"
import { placedImage } from "./image.ts"
import { clean, type Look, paragraphXml, tableXml } from "./wordXml.ts"

export const valueType = "value"

/** A scope in which whatever is asked for is this. */
const only = (content: ReturnType<NonNullable<ScopeData["scopeDataResolver"]>>): ScopeData => {
  const scope = new ScopeData({})
  scope.scopeDataResolver = () => content
  return scope
}

const namespaces = {
  "xmlns:w": "http://schemas.openxmlformats.org/wordprocessingml/2006/main",
  "xmlns:r": "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
  "xmlns:wp": "http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing"
}

export class ValuePlugin extends TemplatePlugin {
  readonly contentType = valueType
  private readonly texts = new TextPlugin()
  private readonly images = new ImagePlugin()

  override async simpleTagReplacements(tag: Tag, data: ScopeData, context: TemplateContext): Promise<void> {
    const value = clean(String(data.getScopeData()))
    const blocks = blocksOf(value)
    const [first] = blocks
    if (first?._tag === "Image" && blocks.length === 1) return this.image(tag, first.uri, context)
    const place = tag.placement === TagPlacement.TextNode ? placeOf(tag) : null
    if (tag.placement !== TagPlacement.TextNode || place === null) {
      return this.texts.simpleTagReplacements(tag, only(blocksAsText(blocks)))
    }
    if (isRunningText(blocks, value)) return this.texts.simpleTagReplacements(tag, only(value))
    // One paragraph in the midst of a sentence stays in the sentence.
    if (blocks.length === 1 && first?._tag === "Paragraph" && !place.alone) {
      return this.texts.simpleTagReplacements(tag, only(blocksAsText(blocks)))
    }
    await this.insert(tag, place, blocks, context)
  }

  private async image(tag: Tag, uri: string, context: TemplateContext): Promise<void> {
    const image = placedImage(uri)
    if (image === null) return this.texts.simpleTagReplacements(tag, only(""))
    const root = await context.currentPart.xmlRoot()
    if (xml.query.isGeneralNode(root)) root.attributes = { ...namespaces, ...root.attributes }
    await this.images.simpleTagReplacements(tag, only({ _type: "image", ...image }), context)
  }

  private async insert(
    tag: TextNodeTag,
    place: Place,
    blocks: ReadonlyArray<Block>,
    context: TemplateContext
  ): Promise<void> {
    const [left, right] = officeMarkup.modify.splitParagraphByTextNode(place.paragraph, tag.xmlTextNode, true)
    dropSectionBreak(left)
    const put = (markup: string): ReadonlyArray<XmlNode> => {
      const nodes = [...(xml.parser.parse(`<root>${markup}</root>`).childNodes ?? [])]
      for (const node of nodes) xml.modify.insertBefore(node, right)
      return nodes
    }
    let isAfterTable = false
    for (const block of blocks) {
      switch (block._tag) {
        case "Paragraph":
          put(paragraphXml(block, place.look))
          break
        case "Table":
          // Tables that touch would become one.
          if (isAfterTable) put("<w:p/>")
          put(tableXml(block, place.look.run))
          break
        case "Image": {
          const [paragraph] = put(
            paragraphXml({ spans: [{ text: " ", bold: false, italic: false }] }, place.look)
          )
          const text = paragraph === undefined ? undefined : textOf(paragraph)
          if (text !== undefined) await this.image({ ...tag, xmlTextNode: text }, block.uri, context)
        }
      }
      isAfterTable = block._tag === "Table"
    }
    if (isBlank(left)) xml.modify.remove(left)
    // A cell, and the document, must end with a paragraph.
    if (isBlank(right) && !isAfterTable && !hasSectionBreak(right)) xml.modify.remove(right)
  }
}

interface Place {
  readonly paragraph: XmlNode
  readonly look: Look
  /** Nothing else stands in the paragraph. */
  readonly alone: boolean
}

/** Where blocks can be put: a paragraph of the text whose own run the tag is. null elsewhere (drawings, links). */
const placeOf = (tag: TextNodeTag): Place | null => {
  const run = officeMarkup.query.containingRunNode(tag.xmlTextNode)
  const paragraph = officeMarkup.query.containingParagraphNode(tag.xmlTextNode)
  if (paragraph?.nodeName !== "w:p" || run?.parentNode !== paragraph) return null
  const own = officeMarkup.query.findParagraphPropertiesNode(paragraph)
  const properties = own === null || own === undefined ? null : xml.create.cloneNode(own, true)
  if (properties !== null) xml.modify.removeChildren(properties, (node) => node.nodeName === "w:sectPr")
  const look = run.childNodes?.find((node) => officeMarkup.query.isRunPropertiesNode(node))
  return {
    paragraph,
    alone: textIn(paragraph).trim() === tag.xmlTextNode.textContent.trim(),
    look: {
      paragraph: properties === null ? "" : xml.parser.serializeNode(properties),
      run: look === undefined ? "" : xml.parser.serializeNode(look)
    }
  }
}

/** Plain lines keep the look of the template's own text, whatever signs they hold. */
const isRunningText = (blocks: ReadonlyArray<Block>, value: string): boolean =>
  blocks.every(
    (block) => block._tag === "Paragraph" && block.spans.every((span) => !span.bold && !span.italic)
  ) && !/^\s*(?:[-*+]|\d+[.)]|>|`{3}|~{3}) ?/m.test(value)

const nodesIn = (node: XmlNode): ReadonlyArray<XmlNode> => [node, ...(node.childNodes ?? []).flatMap(nodesIn)]

const textIn = (node: XmlNode): string =>
  nodesIn(node)
    .map((inner) => (xml.query.isTextNode(inner) ? inner.textContent : ""))
    .join("")

const textOf = (node: XmlNode) => nodesIn(node).find((inner) => xml.query.isTextNode(inner))

/** Nothing but properties. */
const isBlank = (paragraph: XmlNode): boolean =>
  (paragraph.childNodes ?? []).every((node) => officeMarkup.query.isParagraphPropertiesNode(node))

const hasSectionBreak = (paragraph: XmlNode): boolean =>
  nodesIn(paragraph).some((node) => node.nodeName === "w:sectPr")

const dropSectionBreak = (paragraph: XmlNode): void => {
  const properties = (paragraph.childNodes ?? []).find((node) =>
    officeMarkup.query.isParagraphPropertiesNode(node)
  )
  if (properties !== undefined) {
    xml.modify.removeChildren(properties, (node) => node.nodeName === "w:sectPr")
  }
}
