/** What the offline model says, in the language of the question. It never claims more than it did. */
import { isChinese, terms } from "../words.ts"
import { excerpt } from "./excerpt.ts"

export interface FoundPassage {
  readonly file: string
  readonly page: number | null
  readonly text: string
}

/** A finished answer, to be streamed. */
export interface Reply {
  readonly reasoning: string
  readonly text: string
}

/** More quotations than this are not read. */
const maxQuotes = 3

const connect = {
  en: "To get answers from a language model, set `OPENAI_BASE_URL` (any OpenAI-compatible server), `OPENAI_API_KEY` and `OPENAI_MODEL`, and start the server again.",
  zh: "如需语言模型来回答，请设置 `OPENAI_BASE_URL`（任何兼容 OpenAI 的服务）、`OPENAI_API_KEY` 和 `OPENAI_MODEL`，然后重新启动服务。"
}

const said = (
  question: string,
  text: { readonly en: string; readonly zh: string },
  reasoning = ""
): Reply => ({
  reasoning,
  text: isChinese(question) ? text.zh : text.en
})

export const introduction = (question: string, instructed: boolean): Reply =>
  said(question, {
    en: [
      "Hello! I am the built-in offline model. I am not a language model: I look your question up in the documents I have, quote the passages that fit, and say where they are from. Where the app offers a calculator and a clock, I use them too.",
      ...(instructed
        ? ["This app has instructions for its model. I cannot follow them as a language model would."]
        : []),
      "Upload a file and ask about it, or ask how this product works.",
      connect.en
    ].join("\n\n"),
    zh: [
      "你好！我是内置的离线模型。我不是语言模型：我会在手头的文档里查找你的问题，引用合适的段落，并注明出处。如果应用提供了计算器和时钟，我也会使用它们。",
      ...(instructed ? ["这个应用为模型写了提示词，但我无法像语言模型那样遵照执行。"] : []),
      "你可以上传文件后提问，也可以问我这个产品怎么用。",
      connect.zh
    ].join("\n\n")
  })

export const courtesy = (question: string): Reply =>
  said(question, {
    en: "You're welcome. Ask me anything that the documents may answer.",
    zh: "不客气。文档里可能写到的内容，都可以问我。"
  })

export const noRolePlay = (question: string): Reply =>
  said(question, {
    en: `I cannot play a role: I am the built-in offline model, and all I do is look things up in documents and quote them. ${connect.en}`,
    zh: `我无法扮演角色：我是内置的离线模型，只会在文档里查找并引用。${connect.zh}`
  })

export const noTool = (question: string, what: "calculator" | "clock"): Reply =>
  said(question, {
    en: `This app gives me no ${what}, and I cannot do this on my own. Ask an assistant that has the ${what} tool.`,
    zh: `这个应用没有提供${what === "clock" ? "时钟" : "计算器"}工具，我自己无法完成。请使用带有该工具的助手。`
  })

export const calculated = (question: string, expression: string, output: string): Reply => {
  const value = output.trim()
  if (!/^-?(?:\d[\d,]*(?:\.\d+)?(?:e[+-]?\d+)?|Infinity)$/i.test(value)) {
    return said(question, {
      en: `The calculator could not work this out: ${short(value)}`,
      zh: `计算器没有算出来：${short(value)}`
    })
  }
  return said(
    question,
    { en: `${pretty(expression)} = **${value}**`, zh: `${pretty(expression)} = **${value}**` },
    isChinese(question)
      ? "这是一道算术题，我用计算器工具算出了结果。"
      : "This is arithmetic: I used the calculator tool."
  )
}

export const toldTime = (question: string, output: string): Reply =>
  said(
    question,
    { en: `It is **${short(output)}**.`, zh: `现在是 **${short(output)}**。` },
    isChinese(question) ? "问的是时间，我查了时钟工具。" : "This asks for the time: I used the clock tool."
  )

/** The output of a tool that the offline model knows nothing about. */
export const reported = (question: string, tool: string, output: string): Reply =>
  said(question, {
    en: `The tool \`${tool}\` answered:\n\n${quoted(short(output, 1_000))}`,
    zh: `工具 \`${tool}\` 返回：\n\n${quoted(short(output, 1_000))}`
  })

export const quotedAnswer = (question: string, passages: ReadonlyArray<FoundPassage>): Reply => {
  const wanted = new Set(terms(question))
  const best = passages.slice(0, maxQuotes)
  const looked = [...wanted].slice(0, 12).join(", ")
  if (best.length === 0) {
    return said(
      question,
      {
        en: `I found nothing about this in the documents, and I will not guess. I am the built-in offline model: I can only quote what is written there. Try other words, or upload a file that covers it.\n\n${connect.en}`,
        zh: `文档里没有找到相关内容，我不会凭空猜测。我是内置的离线模型，只能引用文档中写到的内容。可以换个说法，或者上传包含答案的文件。\n\n${connect.zh}`
      },
      isChinese(question)
        ? `查找的词：${looked === "" ? "（没有可查的词）" : looked}。没有匹配的段落。`
        : `Searched for: ${looked === "" ? "(no words to search for)" : looked}. No passage matches.`
    )
  }
  const quotes = best.map((passage, at) => `${quoted(excerpt(passage.text, wanted))} [${at + 1}]`)
  const files = [...new Set(best.map((passage) => passage.file))].join(", ")
  return said(
    question,
    {
      en: [
        `This is what the documents say:`,
        ...quotes,
        `Sources:\n${best.map((passage, at) => `- [${at + 1}] ${passage.file}${passage.page === null ? "" : `, page ${passage.page}`}`).join("\n")}`
      ].join("\n\n"),
      zh: [
        "文档中是这样写的：",
        ...quotes,
        `来源：\n${best.map((passage, at) => `- [${at + 1}] ${passage.file}${passage.page === null ? "" : `，第 ${passage.page} 页`}`).join("\n")}`
      ].join("\n\n")
    },
    isChinese(question)
      ? `查找的词：${looked}。匹配的段落：${passages.length} 个，引用其中 ${best.length} 个，来自 ${files}。`
      : `Searched for: ${looked}. Passages that match: ${passages.length}; quoting ${best.length}, from ${files}.`
  )
}

const quoted = (text: string): string => text.replace(/^/gm, "> ")

const short = (text: string, max = 300): string => {
  const trimmed = text.trim()
  return trimmed.length > max ? `${trimmed.slice(0, max - 1).trimEnd()}…` : trimmed
}

const pretty = (expression: string): string =>
  expression
    .replaceAll("*", " × ")
    .replaceAll("/", " ÷ ")
    .replace(/(?<=[\d)])([+-])/g, " $1 ")
