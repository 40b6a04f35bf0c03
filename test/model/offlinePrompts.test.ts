/** What the offline model makes of the prompts that chains, workflows and group chats really send. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import {
  collapseStep,
  mapStep,
  rankStep,
  reduceStep,
  refineStep,
  refineSummary,
  stuffInstruction,
  summary
} from "../../src/app/skill/combine/words.ts"
import { LanguageModel, type ModelMessage } from "../../src/model/LanguageModel.ts"
import { Library } from "../../src/model/Library.ts"
import { fixedForm, fromMaterial } from "../../src/model/Offline/fromPrompt.ts"
import { readPrompt } from "../../src/model/Offline/prompt.ts"
import * as Offline from "../../src/model/Offline.ts"

/** Remembers what it was asked for, and finds nothing. */
const answer = (...messages: ReadonlyArray<ModelMessage>) =>
  Effect.gen(function* () {
    const looked: Array<string> = []
    const library = Layer.succeed(
      Library,
      Library.of({
        search: ({ text }) =>
          Effect.sync(() => {
            looked.push(text)
            return []
          })
      })
    )
    const generated = Effect.flatMap(LanguageModel, (model) =>
      model.generate(
        {
          model: null,
          temperature: null,
          messages,
          tools: [],
          scope: { flowId: "0".repeat(32), userId: 1 }
        },
        { text: () => undefined, reasoning: () => undefined }
      )
    )
    const fiber = yield* Effect.fork(
      generated.pipe(Effect.provide(Offline.layer.pipe(Layer.provide(library))))
    )
    yield* TestClock.adjust("10 minutes")
    return { text: (yield* Fiber.join(fiber)).text, looked }
  })

const system = (content: string): ModelMessage => ({ role: "system", content })
const user = (content: string): ModelMessage => ({ role: "user", content })

const works = [
  "Kestrel Windworks builds small wind turbines in Tarn. It was founded in 1998 by Ada Holm.",
  "The canteen opens at noon. Lunch costs four crowns.",
  "Its turbines carry a warranty of twelve years. Repairs are made on site."
].join("\n\n")

const firm = [
  "青隼风电位于塔恩市，主营小型风力发电机。公司成立于1998年，创始人为何安达。",
  "食堂中午十二点开放，午餐四元。",
  "产品保修期为十二年，维修在现场进行。"
].join("\n\n")

describe("from a prompt that carries passages, the offline model", () => {
  it.effect("quotes those that fit the question of a `stuff` prompt, and says that it quotes", () =>
    Effect.gen(function* () {
      const { looked, text } = yield* answer(
        system(stuffInstruction(works)),
        user("How long is the warranty of the turbines?")
      )
      expect(text).toContain("> Its turbines carry a warranty of twelve years.")
      expect(text).toContain("can only quote")
      expect(text).not.toContain("canteen")
      expect(looked).toEqual([])
      const chinese = yield* answer(system(stuffInstruction(firm)), user("产品的保修期是多久？"))
      expect(chinese.text).toContain("产品保修期为十二年")
      expect(chinese.text).toContain("只能引用")
      expect(chinese.text).not.toContain("食堂")
    })
  )

  it.effect("gives the beginning where nothing fits, and says so", () =>
    Effect.gen(function* () {
      const { text } = yield* answer(system(stuffInstruction(works)), user("Quelle heure?"))
      expect(text).toContain("Nothing in the text given to me shares a word")
      expect(text).toContain("Kestrel Windworks builds small wind turbines")
    })
  )

  it.effect("greets instead of quoting where it is greeted", () =>
    Effect.gen(function* () {
      expect((yield* answer(system(stuffInstruction(works)), user("hello"))).text).toContain("Hello!")
      const inTemplate = `用户问题：你好\n参考文本：[a.txt]\n${firm}\n你的回答：`
      expect((yield* answer(user(inTemplate))).text).toContain("你好！")
    })
  )

  it.effect("reads the question above and the passages below it, and keeps their sources", () =>
    Effect.gen(function* () {
      const { text } = yield* answer(
        system("你是一位知识库问答助手。如果没有，则直接回复：“没有找到相关内容”。"),
        user(
          `用户问题：公司是哪一年成立的？\n参考文本：[菜单.docx]\n食堂中午开放。\n\n[简介.pdf]\n${firm}\n你的回答：`
        )
      )
      expect(text).toContain("公司成立于1998年")
      expect(text).toContain("- [1] 简介.pdf")
      expect(text).not.toContain("菜单.docx")
      const english = yield* answer(
        user(`Question: Who founded it?\nReference text: [about.md]\n${works}\nAnswer:`)
      )
      expect(english.text).toContain("founded in 1998 by Ada Holm")
      expect(english.text).toContain("- [1] about.md")
    })
  )

  it.effect("reads headings as labels", () =>
    Effect.gen(function* () {
      const first = yield* answer(
        user(`# 用户需求\n介绍产品的保修\n# 参考资料：\n[简介.pdf]\n${firm}\n----\n\n产品功能亮点：`)
      )
      expect(first.text).toContain("产品保修期为十二年")
      const second = yield* answer(
        user(
          `# 用户需求\n写保修文案\n# 参考资料\n[简介.pdf]\n${firm}\n\n# 产品功能亮点\n风机静音，保修十二年，终身维护。\n\n\n`
        )
      )
      expect(second.text).toContain("风机静音")
      const polished = yield* answer(
        system("你是产品营销大师。"),
        user(`# 原文\n${firm}\n\n\n\n# 用户修改建议\n\n突出保修期\n\n# 润色修改后文案\n\n\n\n`)
      )
      expect(polished.text).toContain("产品保修期为十二年")
      expect(polished.text).not.toContain("食堂")
    })
  )

  it.effect("tells the passages from the rules that stand below them", () =>
    Effect.gen(function* () {
      const passage = (name: string, text: string) => `title: ${name}\n${text}\n----------------`
      const rules =
        "----------------------\n# Role：企业客服\n\n# Goals:\n- 只能结合【参考文本】回答，没有则回复“没有找到相关内容”。\n\n----------------------"
      const context = [passage("食堂.txt", "食堂中午十二点开放。"), passage("简介.pdf", firm)].join("\n\n")
      const { text } = yield* answer(
        user(`参考文本：\n${context}\n\n${rules}\n\n用户问题: 保修期多久？\n你的回答:`)
      )
      expect(text).toContain("产品保修期为十二年")
      expect(text).toContain("- [1] 简介.pdf")
      expect(text).not.toContain("企业客服")
    })
  )

  it.effect("answers the steps of map_reduce and refine with the bare quotations", () =>
    Effect.gen(function* () {
      const question = "How long is the warranty?"
      for (const prompt of [mapStep(works, question), collapseStep(works, question)]) {
        const { text } = yield* answer(user(prompt))
        expect(text).toBe("Its turbines carry a warranty of twelve years.")
      }
      expect(
        (yield* answer(user(mapStep("Lunch costs four crowns, on every day.", question)))).text
      ).toContain("Nothing in it")
      expect((yield* answer(user(reduceStep(works, question)))).text).toContain("> Its turbines carry")
      const refined = yield* answer(
        user(refineStep("The warranty does not cover the paint.", question, "Its warranty has twelve years."))
      )
      expect(refined.text).toContain("Its warranty has twelve years.")
      expect(refined.text).toContain("does not cover the paint")
    })
  )

  it.effect("ends on its mark where a prompt wants one", () =>
    Effect.gen(function* () {
      const fits = yield* answer(user(rankStep(works, "How long is the warranty?")))
      expect(fits.text).toMatch(/^Its turbines carry a warranty of twelve years\.[\s\S]*\nScore: [1-9]\d*$/)
      const misses = yield* answer(user(rankStep("Lunch costs four crowns.", "How long is the warranty?")))
      expect(misses.text).toMatch(/\nScore: 0$/)
    })
  )

  it.effect("sums up by quoting", () =>
    Effect.gen(function* () {
      expect((yield* answer(user(summary(works)))).text).toContain("Kestrel Windworks builds")
      const later = yield* answer(
        user(refineSummary("Its turbines stand in Tarn.", "Kestrel builds turbines."))
      )
      expect(later.text).toContain("turbines")
      const asked = yield* answer(
        system(stuffInstruction(firm)),
        user("这篇文章的主要内容是什么？请生成该文章的摘要")
      )
      expect(asked.text).toContain("青隼风电")
    })
  )

  it.effect("takes pasted text, above or below, for what is asked about", () =>
    Effect.gen(function* () {
      for (const prompt of [
        `请根据以下内容回答问题：\n\n${firm}\n\n问题：保修期多久？`,
        `${firm}\n\n根据以上内容回答：保修期多久？`,
        `Use the following pieces of context to answer the question at the end.\n\n${firm}\n\nQuestion: 保修期多久？\nHelpful Answer:`,
        `${firm.repeat(10)}\n\n保修期多久？`
      ]) {
        expect((yield* answer(user(prompt))).text).toContain("产品保修期为十二年")
      }
    })
  )

  it.effect("copies the values of named keys", () =>
    Effect.gen(function* () {
      const context = "合同编号：HT-2024-17\n甲方：青隼风电\n\n本合同的签订日期为2024年3月1日。"
      const { text } = yield* answer(
        user(
          `提取以下文本内容中的keyvalue信息，需要抽取的key包括：\n\n甲方；合同编号；签订日期；违约金\n\nThe output should be a Markdown code snippet formatted in the following schema, including the leading and trailing "\`\`\`json" and "\`\`\`":\n\n\`\`\`json\n"Key1": Value\n"Key2": Value\n\`\`\`\n\n文本内容\n${context}\n\n开始`
        )
      )
      expect(JSON.parse(text.replace(/^```json\n|\n```$/g, ""))).toEqual({
        甲方: "青隼风电",
        合同编号: "HT-2024-17",
        签订日期: "2024年3月1日",
        违约金: null
      })
    })
  )

  it.effect("asks a question, and answers it from the same text", () =>
    Effect.gen(function* () {
      const asked = yield* answer(
        user(
          `Write one question that the following text answers in full. Give the question alone.\n\n----------------\n${works}\n----------------\n\nQuestion:`
        )
      )
      expect(asked.text).toMatch(/^What is known about "[^"\n]+"\?$/)
      const replied = yield* answer(
        user(
          `Answer the question from the following text alone, in the language of the question. Give the answer alone.\n\n----------------\n${works}\n----------------\n\nQuestion: ${asked.text}\nAnswer:`
        )
      )
      expect(works).toContain(replied.text.split("\n")[0])
      const chinese = yield* answer(
        user(
          `您的任务是遵循以下规则从给定的上下文中提出一个问题，规则如下：\n\n    1. 问题应该有意义。\n\nExamples:\ncontext:武汉达梦 2021年的研发费用\nquestion:达梦的研发费用是多少？\n\ncontext:公司存货周转率\nquestion:存货周转率有何变化？\n\n\ncontext:${firm}\nquestion:\n`
        )
      )
      expect(chinese.text).toMatch(/^关于“[^”\n]+”，有哪些信息？$/)
      expect(chinese.text).not.toContain("达梦")
    })
  )
})

describe("where a prompt wants an answer of a fixed form, the offline model", () => {
  it.effect("puts the further question as it stands", () =>
    Effect.gen(function* () {
      const prompt =
        "Below are a conversation and a further question. Rewrite the question so that it can be understood without " +
        "the conversation, in its own language. Give the rewritten question alone.\n\n" +
        "Conversation:\nHuman: who builds it?\nAI: Kestrel.\n\nFurther question: and since when?\nRewritten question:"
      expect((yield* answer(user(prompt))).text).toBe("and since when?")
      const usual =
        "Given the following conversation and a follow up question, rephrase the follow up question to be a standalone question.\n\nChat History:\nHuman: 谁生产？\nAssistant: 青隼。\nFollow Up Input: 从哪一年开始？\nStandalone question:"
      expect((yield* answer(user(usual))).text).toBe("从哪一年开始？")
    })
  )

  it.effect("names one of the offered speakers, each in turn", () =>
    Effect.gen(function* () {
      const prompt = (talk: string) =>
        `Roles in this conversation:\n- Researcher: You look facts up.\n- Critic: You say what is missing.\n\nConversation so far:\n${talk}\n\n` +
        "Who speaks next? Answer with one of these names and nothing else: Researcher, Critic"
      expect((yield* answer(user(prompt("You: What is Kestrel?")))).text).toBe("Researcher")
      expect((yield* answer(user(prompt("You: What is Kestrel?\n\nResearcher: A firm.")))).text).toBe(
        "Critic"
      )
      expect((yield* answer(user(prompt("You: @Critic what is missing?")))).text).toBe("Critic")
    })
  )

  it.effect("judges by comparing words, and says the one word", () =>
    Effect.gen(function* () {
      const judge = system(
        "判断用户输入的答案是否正确，不要求完全一致，只要意思一样即为正确。只输出“正确”或“错误”，不要输出其他内容"
      )
      expect((yield* answer(judge, user("正确答案：水用户输入：是水判断结果："))).text).toBe("正确")
      expect((yield* answer(judge, user("正确答案：水用户输入：垃圾判断结果："))).text).toBe("错误")
      const english = system('Is the answer right? Answer only "correct" or "incorrect".')
      const same = "Correct answer: twelve years\nUser answer: twelve years\nVerdict:"
      expect((yield* answer(english, user(same))).text).toBe("correct")
      const other = "Correct answer: twelve years\nUser answer: a day\nVerdict:"
      expect((yield* answer(english, user(other))).text).toBe("incorrect")
    })
  )

  it.effect("checks item by item whether everything was told", () =>
    Effect.gen(function* () {
      const triage = system(
        "您是一名分诊医生。请判断以下用户提供的信息是否完整，需要包含性别、年龄、症状三项信息。若用户提供了完整信息则回复“信息完整”，若不完整则反问用户，让对方补充相应缺失的信息。"
      )
      const talk = (text: string) =>
        user(`你们的对话记录：\n\n\`\`\`\n\n${text}\n\n\`\`\`\n\n你的回复：\n\n\n`)
      expect((yield* answer(triage, talk("Human: 我头疼"))).text).toBe("信息还不完整，请补充：性别、年龄。")
      const whole = "Human: 我头疼\nAI: 信息还不完整，请补充：性别、年龄。\nHuman: 男，三十岁"
      expect((yield* answer(triage, talk(whole))).text).toBe("信息完整")
      const next = yield* answer(
        system("1. 根据提供的性别、年龄和症状，判断患者应该去医院的哪个科室就诊。\n\n5. 只需提供科室名称。"),
        user(`完整的用户信息包含在以下聊天记录中：\n\n\`\`\`\n\n${whole}\n\n\`\`\`\n\n推荐科室：\n\n\n`)
      )
      expect(next.text).toContain("男，三十岁")
    })
  )
})

describe("from a prompt that carries no material, the offline model", () => {
  it.effect("looks up the question alone, not the instructions around it", () =>
    Effect.gen(function* () {
      const interview =
        "System：\n你将扮演一个科技公司的面试官，提出 3 个犀利的问题。\n请注意：\n- 每次只问一个问题\n\n以下是你们的对话记录\n\nHuman: 你好\nAI: 请自我介绍\n\n面试者：我做过风电产品\n\n你的回答："
      expect((yield* answer(user(interview))).looked).toEqual(["我做过风电产品"])
      expect((yield* answer(system("友好的助手"), user("用户：什么是风电你的回复："))).looked).toEqual([
        "什么是风电"
      ])
      const riddle = user('- 问题："什么东西越洗越脏？"\n\n\n\n回答：\n')
      expect(
        (yield* answer(system("# 角色：脑筋急转弯回答者\n\n# 背景信息：\n\n一种游戏"), riddle)).looked
      ).toEqual(["什么东西越洗越脏？"])
      const code = "How do I fix this?\n\n```\nconst a = 1\n```"
      expect((yield* answer(user(code))).looked).toEqual([code])
      expect((yield* answer(user("What is a turbine made of?"))).looked).toEqual([
        "What is a turbine made of?"
      ])
      expect((yield* answer(system(stuffInstruction("")), user("What is it made of?"))).looked).toEqual([
        "What is it made of?"
      ])
    })
  )
})

it("a prompt of a million characters is read within its bounds", () => {
  const huge = `Question: warranty?\nReference text: ${`${works}\n\n`.repeat(5_000)}\nAnswer:`
  const prompt = readPrompt([user(huge)], true)
  const started = performance.now()
  const text = fromMaterial(prompt)?.text ?? ""
  expect(fixedForm(prompt, huge)).toBeNull()
  expect(performance.now() - started).toBeLessThan(5_000)
  expect(text).toContain("warranty of twelve years")
  expect(text.length).toBeLessThan(4_000)
})
