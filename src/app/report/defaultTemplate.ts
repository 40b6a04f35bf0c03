/** The template of apps that have none: the report's name, the day, and each section under its question. */

const declaration = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
const word = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
const relations = "http://schemas.openxmlformats.org/package/2006/relationships"
const office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
const parts = "application/vnd.openxmlformats-officedocument.wordprocessingml"

const paragraph = (text: string, style = ""): string =>
  `<w:p>${style === "" ? "" : `<w:pPr><w:pStyle w:val="${style}"/></w:pPr>`}<w:r><w:t>${text}</w:t></w:r></w:p>`

const style = (id: string, name: string, size: number, spacing: string): string =>
  `<w:style w:type="paragraph" w:styleId="${id}"><w:name w:val="${name}"/><w:basedOn w:val="Normal"/>` +
  `<w:next w:val="Normal"/><w:qFormat/><w:pPr><w:keepNext/>${spacing}</w:pPr>` +
  `<w:rPr><w:b/><w:sz w:val="${size}"/></w:rPr></w:style>`

const files: Readonly<Record<string, string>> = {
  "[Content_Types].xml":
    `${declaration}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">` +
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>' +
    '<Default Extension="xml" ContentType="application/xml"/>' +
    `<Override PartName="/word/document.xml" ContentType="${parts}.document.main+xml"/>` +
    `<Override PartName="/word/styles.xml" ContentType="${parts}.styles+xml"/></Types>`,
  "_rels/.rels":
    `${declaration}<Relationships xmlns="${relations}">` +
    `<Relationship Id="rId1" Type="${office}/officeDocument" Target="word/document.xml"/></Relationships>`,
  "word/_rels/document.xml.rels":
    `${declaration}<Relationships xmlns="${relations}">` +
    `<Relationship Id="rId1" Type="${office}/styles" Target="styles.xml"/></Relationships>`,
  "word/styles.xml":
    `${declaration}<w:styles xmlns:w="${word}"><w:docDefaults><w:rPrDefault><w:rPr>` +
    '<w:rFonts w:ascii="Calibri" w:hAnsi="Calibri" w:eastAsia="Microsoft YaHei"/><w:sz w:val="22"/>' +
    '</w:rPr></w:rPrDefault><w:pPrDefault><w:pPr><w:spacing w:after="120" w:line="276" w:lineRule="auto"/></w:pPr>' +
    "</w:pPrDefault></w:docDefaults>" +
    '<w:style w:type="paragraph" w:default="1" w:styleId="Normal"><w:name w:val="Normal"/><w:qFormat/></w:style>' +
    style("Title", "Title", 40, '<w:spacing w:after="60"/><w:jc w:val="center"/>') +
    style("Heading1", "heading 1", 28, '<w:spacing w:before="320" w:after="120"/><w:outlineLvl w:val="0"/>') +
    "</w:styles>",
  "word/document.xml":
    `${declaration}<w:document xmlns:w="${word}" xmlns:r="${office}"><w:body>` +
    paragraph("{{title}}", "Title") +
    '<w:p><w:pPr><w:jc w:val="center"/></w:pPr><w:r><w:t>{{date}}</w:t></w:r></w:p>' +
    paragraph("{{#sections}}") +
    paragraph("{{section}}", "Heading1") +
    paragraph("{{text}}") +
    paragraph("{{/sections}}") +
    '<w:sectPr><w:pgSz w:w="11906" w:h="16838"/>' +
    '<w:pgMar w:top="1440" w:right="1440" w:bottom="1440" w:left="1440" w:header="708" w:footer="708" w:gutter="0"/>' +
    "</w:sectPr></w:body></w:document>"
}

/** As a .docx file, for filling and for download. */
export const defaultTemplate = async (): Promise<Uint8Array> => {
  // Loaded when somebody wants a report: it takes as long as a twentieth of the server.
  const { default: JSZip } = await import("jszip")
  const zip = new JSZip()
  for (const [name, content] of Object.entries(files)) zip.file(name, content)
  return zip.generateAsync({ type: "uint8array", compression: "DEFLATE" })
}
