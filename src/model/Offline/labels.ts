/** The words that prompts write over their parts: "用户问题：", "# 参考资料", "Context:". */

export type Part = "question" | "material" | "instruction" | "conversation"

export interface Label {
  readonly part: Part
  readonly name: string
  /** What stands behind it in the same line. */
  readonly rest: string
}

const instruction =
  "(?:你的)?(?:角色|背景(?:信息|知识)?|目标|任务|要求|规则|限制|约束|注意事项?|请注意|工作流程|技能|示例|例子|输出(?:格式|要求|示例)|回答(?:风格|要求)|题目类型|主要能力|能力|语气|风格)" +
  "|(?:role|background|goals?|constrain(?:t)?s|rules?|skills?|profile|work ?flows?|instructions?|task|output(?: format)?|format|notes?|examples?|tone|style|system)"

const conversation =
  "(?:[\\p{Script=Han}]{0,6}(?:对话|聊天|历史)(?:记录|历史|内容|消息)?|(?:current |previous )?(?:conversation|chat history|history|transcript)(?: so far)?)"

const question =
  "(?:[\\p{Script=Han}]{0,4}(?:问题|提问|需求|查询|追问|修改建议|修改意见)|用户(?:的)?(?:输入|指令|回答|消息)?|" +
  "(?:the )?(?:final |user(?:'s)? |current |new |further |follow[- ]?up |original |next )?(?:question|query|request|input)|human|user)"

const material =
  "(?:[\\p{Script=Han}]{0,8}(?:文本|资料|材料|信息|知识|文档|文章|原文|正文|上下文|段落|片段|文案|亮点|全文|合同|简历|检索结果|摘要|答案)(?:内容)?|参考内容|文本内容|文档内容|文章内容|" +
  "(?:the )?(?:reference |source |retrieved |relevant |given |known |original |existing |previous |provided |background )*(?:context|text|passages?|documents?|articles?|materials?|contents?|information|summar(?:y|ies)|findings|references?|sources|answer)(?: so far)?|" +
  "an? (?:answer|summary)[^:：\\n]{1,40}(?:earlier passages|so far))"

const line = (names: string): RegExp =>
  new RegExp(
    `^\\s*(?:#{1,6}\\s*|[-*•]\\s+|\\d{1,2}[.、)]\\s*)?[【“"*]*(${names})[】”"*]*\\s*(?:[:：]\\**(.*)|)$`,
    "iu"
  )

const kinds: ReadonlyArray<readonly [Part, RegExp]> = [
  ["instruction", line(instruction)],
  ["conversation", line(conversation)],
  ["question", line(question)],
  ["material", line(material)]
]

/** A label is short; the text behind it may be as long as it likes. */
const maxLabelChars = 80

export const labelOf = (text: string): Label | null => {
  const colon = text.search(/[:：]/)
  if (colon > maxLabelChars || (colon === -1 && text.length > maxLabelChars)) return null
  for (const [part, pattern] of kinds) {
    const found = pattern.exec(text)
    if (found !== null) return { part, name: (found[1] ?? "").trim(), rest: (found[2] ?? "").trim() }
  }
  return null
}

/** "你的回答：" at the very end: what the model is to go on from. */
const inlineCue =
  /(?:(?:你|您)的|请给出|最终)?(?:回答|回复|答案|答复|输出|判断结果|结果|结论|提示|摘要|总结)\s*[:：]\s*$|\b(?:your |final |helpful )*(?:answer|reply|response|result|verdict|summary|output)\s*:\s*$/i

/** What the prompt ends on, and the prompt before it; null: it does not end so. */
export const cueOf = (prompt: string): { readonly cue: string; readonly before: string } | null => {
  const trimmed = prompt.trimEnd()
  const from = trimmed.lastIndexOf("\n") + 1
  const last = trimmed.slice(from).trim()
  const before = trimmed.slice(0, from)
  if (before.trim() !== "" && last.length <= 40 && (/[:：]$/.test(last) || /^#{1,6}\s/.test(last))) {
    return { cue: last.replace(/^#{1,6}\s+/, "").replace(/\s*[:：]$/, ""), before }
  }
  const inline = inlineCue.exec(last)
  if (inline === null || (inline.index === 0 && before.trim() === "")) return null
  return {
    cue: last.slice(inline.index).replace(/\s*[:：]\s*$/, ""),
    before: before + last.slice(0, inline.index)
  }
}
