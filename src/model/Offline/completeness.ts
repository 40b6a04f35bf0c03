/** "Is everything there? Then answer “complete”, else ask for the rest": checked item by item, by plain signs. */
import { isChinese } from "../words.ts"

const agreed =
  /(?:回复|输出|回答|返回|\b(?:reply|answer|respond|output|say|return))(?:\s+(?:only|with|exactly))*\s*[:：]?\s*["“「『']([^"“”「」『』'\n]{1,40})["”」』']/i

const chineseList =
  /(?:包含|包括|提供|需要|必须有|具备|以下信息)(?:了)?\s*[:：]?\s*((?:[^，。；,.\n、]{1,12}[、,]\s*)+[^，。；,.\n、]{1,12}?)\s*(?:这)?(?:[一二三四五六七八九两\d]+\s*(?:项|个|种|类|条|点)|等|。|，|,|；|\n|$)/
const englishList =
  /\b(?:include|contain|provide|need|require|state|give|mention)s?\s*:?\s+((?:(?:the |their |your )?[a-z ]{2,30}, )*(?:the |their |your )?[a-z ]{2,30},? and (?:the |their |your )?[a-z ]{2,30}?)(?=[.,;\n]|$)/i

/** What shows that an item was told; others are there when their own name is. */
const signs: ReadonlyArray<readonly [RegExp, RegExp]> = [
  [/性别|gender|\bsex\b/i, /[男女]|\b(?:fe)?male\b|\b(?:wo)?man\b|\bboy\b|\bgirl\b|先生|女士/i],
  [
    /年龄|\bage\b/i,
    /\d+\s*(?:岁|周岁|个月大)|[一二三四五六七八九十]+岁|\b\d{1,3}[- ]?(?:years?|yrs?|y\/o|yo)\b|\baged? (?:is )?\d/i
  ],
  [
    /症状|symptom/i,
    /[疼痛痒酸麻胀肿]|发烧|发热|咳|头晕|恶心|呕吐|腹泻|乏力|不舒服|难受|失眠|出血|感冒|\b(?:\w*ache|pain\w*|fever|cough\w*|nausea|dizz\w+|vomit\w*|rash|tired|swollen|bleed\w*|hurts?|sore)\b/i
  ],
  [/电话|手机|联系方式|phone|contact/i, /\d[\d -]{6,}\d/],
  [/邮箱|e-?mail/i, /\S@\S/],
  [
    /日期|时间|date|time|when/i,
    /\d{1,4}\s*[-/年月日号点:]|今天|明天|后天|today|tomorrow|[上下]午|\b(?:mon|tues|wednes|thurs|fri|satur|sun)day\b/i
  ],
  [/姓名|名字|\bname\b/i, /我叫|我是|姓名|名字|\bmy name\b|\bname is\b|\bi am\b|\bi'm\b/i]
]

/** null: the prompt asks no such thing. */
export const checked = (instruction: string, message: string): string | null => {
  if (!/完整|齐全|齐备|complete|all (?:the )?(?:required|needed|information)/i.test(instruction)) return null
  const word = agreed.exec(instruction)?.[1]
  const items = listed(instruction)
  if (word === undefined || items.length < 2) return null
  const said = people(message)
  const missing = items.filter((item) => !isTold(item, said))
  if (missing.length === 0) return word
  return isChinese(instruction)
    ? `信息还不完整，请补充：${missing.join("、")}。`
    : `This is not complete yet. Please tell: ${missing.join(", ")}.`
}

const listed = (instruction: string): ReadonlyArray<string> => {
  const list = chineseList.exec(instruction)?.[1] ?? englishList.exec(instruction)?.[1] ?? ""
  return list
    .split(/[、,，]\s*|\s+and\s+|和|以及/)
    .map((item) => item.trim().replace(/^(?:(?:and|the|their|your)\s+|包含|包括|提供)/i, ""))
    .filter((item) => item !== "")
}

const isTold = (item: string, said: string): boolean => {
  const sign = signs.find(([name]) => name.test(item))?.[1]
  return sign === undefined ? said.toLowerCase().includes(item.toLowerCase()) : sign.test(said)
}

/** What people said, where the message is the record of a talk: the model asking for an age tells none. */
const people = (message: string): string => {
  if (!/^(?:Human|AI)\s*[:：]/m.test(message)) return message
  let isPerson = false
  const lines = message.split("\n").filter((line) => {
    if (/^(?:Human|AI)\s*[:：]/.test(line)) isPerson = line.startsWith("Human")
    return isPerson
  })
  return lines.join("\n")
}
