/** What a group chat's models are told, and the words that end it. */
import type { ModelMessage } from "../../model/LanguageModel.ts"
import type { ParticipantPart } from "../skill/Part.ts"
import { type Cast, isPerson } from "./Cast.ts"
import type { Said, Talk } from "./Talk.ts"

/** Stands across the conversation when a round is over. */
export const roundOver = "本轮结束"

/** A participant whose words end like this has nothing more to add, and nobody else has. */
export const endsRound = (text: string): boolean => /TERMINATE\W*$/.test(text.slice(-40))

/** What a person says to end the chat. */
export const endsChat = (text: string): boolean => /^(?:exit|terminate)$/i.test(text.trim())

export const askedFor = (person: ParticipantPart): string => `${person.name}: 请发言`

const describe = (one: ParticipantPart): string => {
  const about = isPerson(one) ? "a person" : ""
  const instruction = one.instruction.replace(/\s+/g, " ").trim().slice(0, 500)
  return [one.name, [about, instruction].filter((text) => text !== "").join("; ")]
    .filter((text) => text !== "")
    .join(": ")
}

const listed = (participants: ReadonlyArray<ParticipantPart>): string =>
  participants.map((one) => `- ${describe(one)}`).join("\n")

/** What a participant reads before it speaks: its instruction, who else is there, and what was said. */
export const messagesFor = (
  cast: Cast,
  speaker: ParticipantPart,
  talk: Talk,
  history: ReadonlyArray<ModelMessage>
): ReadonlyArray<ModelMessage> => [
  ...system(instructionOf(cast, speaker)),
  ...spoken(history),
  ...merged(talk.said.map((said) => asHeard(said, speaker.name, cast))),
  ...(talk.said.at(-1)?.name === speaker.name
    ? [{ role: "user" as const, content: "(Nobody has anything to add. Go on.)" }]
    : [])
]

const instructionOf = (cast: Cast, speaker: ParticipantPart): string => {
  const others = cast.participants.filter((one) => one !== speaker)
  if (others.length < 2) return speaker.instruction
  const place =
    `You are ${speaker.name} in a group chat. The others are:\n${listed(others)}\n` +
    "A message that begins with a name is theirs. Speak for yourself only, and do not begin with your name."
  return [speaker.instruction, place].filter((text) => text.trim() !== "").join("\n\n")
}

const system = (content: string): ReadonlyArray<ModelMessage> =>
  content.trim() === "" ? [] : [{ role: "system", content }]

/** Earlier rounds of the conversation: what was said, without tools, and the latest where it is much. */
const spoken = (history: ReadonlyArray<ModelMessage>): ReadonlyArray<ModelMessage> =>
  merged(
    latest(history).flatMap((message): ReadonlyArray<ModelMessage> => {
      if (message.content === "") return []
      if (message.role === "user") return [message]
      return message.role === "assistant"
        ? [{ role: "assistant", content: message.content, toolCalls: [] }]
        : []
    })
  )

const maxHistory = 32 * 1024

const latest = (history: ReadonlyArray<ModelMessage>): ReadonlyArray<ModelMessage> => {
  let left = maxHistory
  const tooOld = history.findLastIndex(({ content }) => {
    left -= content.length
    return left < 0
  })
  return history.slice(tooOld + 1)
}

const asHeard = ({ name, text }: Said, speaker: string, cast: Cast): ModelMessage =>
  name === speaker
    ? { role: "assistant", content: text, toolCalls: [] }
    : { role: "user", content: name === cast.opener.name ? text : `${name}: ${text}` }

/** Many model servers want questions and answers by turns. */
const merged = (messages: ReadonlyArray<ModelMessage>): ReadonlyArray<ModelMessage> => {
  const made: Array<ModelMessage> = []
  for (const message of messages) {
    const before = made.at(-1)
    if (before?.role === "user" && message.role === "user") {
      made[made.length - 1] = { role: "user", content: `${before.content}\n\n${message.content}` }
    } else if (before?.role === "assistant" && message.role === "assistant") {
      const content = `${before.content}\n\n${message.content}`
      made[made.length - 1] = { role: "assistant", content, toolCalls: [] }
    } else made.push(message)
  }
  return made
}

/** What the manager is asked when somebody has to get the word. */
export const choiceFor = (
  manager: ParticipantPart,
  candidates: ReadonlyArray<ParticipantPart>,
  talk: Talk
): ReadonlyArray<ModelMessage> => {
  const names = candidates.map(({ name }) => name).join(", ")
  const transcript = talk.said.map(({ name, text }) => `${name}: ${text}`).join("\n\n")
  return [
    ...system(manager.instruction),
    {
      role: "user",
      content:
        `Roles in this conversation:\n${listed(candidates)}\n\nConversation so far:\n${transcript}\n\n` +
        `Who speaks next? Answer with one of these names and nothing else: ${names}`
    }
  ]
}
