/** What a question wants of the offline model. Few, plain rules: what none of them knows is looked up. */
import { arithmeticIn } from "./arithmetic.ts"
import { timeQuestionIn } from "./clock.ts"

export type Intent =
  | { readonly _tag: "Greeting" }
  | { readonly _tag: "Identity" }
  | { readonly _tag: "Thanks" }
  | { readonly _tag: "RolePlay" }
  | { readonly _tag: "Arithmetic"; readonly expression: string }
  | { readonly _tag: "Time"; readonly timeZone: string | null }
  | { readonly _tag: "Lookup" }

const greeting =
  /^(?:(?:hi|hello|hey|hiya|greetings|howdy|good (?:morning|afternoon|evening|day)|how are you)(?: there| everyone| all| again)?[\s,!.?]*)+$|^(?:你好|您好|嗨|哈喽|哈啰|喂|早上好|早安|上午好|中午好|下午好|晚上好|大家好|在吗|你好吗|呀|啊|[\s,!.?,。!?~])+$/iu

const thanks =
  /^(?:thanks|thank you|thx|cheers|great|ok|okay|bye|goodbye|谢谢|多谢|感谢|好的|再见|拜拜)[^\p{L}]*(?:very much|a lot|so much|你|您|了|啦)?[\s!.~。!]*$/iu

const identity =
  /^(?:(?:hi|hello|hey|你好|您好)[\s,!.,。]*)?(?:who are you|what are you|what is your name|what's your name|what can (?:you|i) (?:do|ask)(?: for me| here| you)?|what do you do|introduce yourself|tell me about yourself|which model (?:are you|is this)|what model (?:are you|is this)|are you (?:chatgpt|gpt[-\w.]*|claude|an? (?:ai|bot|robot|human|person|model|llm|language model))|help|你是谁|你是什么(?:模型|东西|机器人)?|你叫什么(?:名字)?|你(?:能|会|可以)(?:做|干|帮我做)(?:些|点)?什么|介绍一下(?:你)?自己|自我介绍(?:一下)?|你是(?:chatgpt|gpt|人|机器人|真人|人工智能|ai)吗?|什么模型|你是哪个模型|帮助)(?:呢|呀|啊)?[\s?!.?。!]*$/iu

const rolePlay =
  /^(?:please |now |from now on,? )*(?:pretend (?:to be|you(?:'re| are))|act (?:as|like)|role-?play|imagine you are|you are now|speak like|talk like)\b|^(?:请|现在|从现在起|从现在开始|,|,|\s)*(?:假装(?:你是)?|扮演|你来扮演|你现在是|模仿|以.{1,12}的(?:口吻|身份|语气))/iu

export const intentOf = (question: string): Intent => {
  const text = question.normalize("NFKC").trim()
  const short = text.length <= 100
  if (short && greeting.test(text)) return { _tag: "Greeting" }
  if (short && identity.test(text)) return { _tag: "Identity" }
  if (short && thanks.test(text)) return { _tag: "Thanks" }
  if (rolePlay.test(text)) return { _tag: "RolePlay" }
  const expression = arithmeticIn(text)
  if (expression !== null) return { _tag: "Arithmetic", expression }
  const time = timeQuestionIn(text)
  return time === null ? { _tag: "Lookup" } : { _tag: "Time", timeZone: time.timeZone }
}
