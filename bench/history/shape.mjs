/**
 * What stands in the databases of the history case, as functions of numbers, so that both the database that makes the
 * rows and the client that asks for them know it. Chats have from a few messages to many; chat 0 is the longest. What
 * belongs together lies scattered: messages of all chats in turns, chats by moments and ids that follow no order.
 */

/** The one with very many chats; the rest have some twenty each. */
export const collector = 1_000

const firstOther = 2_000

/** The moment that everything begins with, and how long it goes on. */
export const began = Date.UTC(2026, 0, 1)
export const seconds = 8_000_000

/** Two assistants and a skill. */
export const apps = [
  { id: "a".repeat(32), type: 5, name: "Tax help" },
  { id: "b".repeat(32), type: 5, name: "Travel" },
  { id: "c".repeat(32), type: 1, name: "Contracts" }
]

/** @param {number} messages */
export const shapeOf = (messages) => {
  const chats = Math.max(100, messages / 10)
  return {
    messages,
    chats,
    /** Every so many rounds one is of chat 0, which grows to at most 100,000 messages. */
    everyLong: Math.max(10, messages / 100_000),
    /** Every so many chats one is the collector's, who has at most 100,000. */
    everyCollected: Math.max(2, Math.ceil(chats / 100_000)),
    others: Math.max(10, Math.floor(chats / 20))
  }
}

/** @typedef {ReturnType<typeof shapeOf>} Shape */

const factor = 2_654_435_761
const range = 4_294_967_296

/** Spreads whole numbers over 0 … 2^32 - 1. @param {number} n */
const scattered = (n) => (n * factor) % range

/** @param {number} chat */
export const chatIdOf = (chat) =>
  `${scattered(chat).toString(16).padStart(8, "0")}-0000-4000-8000-${String(chat).padStart(12, "0")}`

/** @param {Shape} shape @param {number} chat */
export const ownerOf = ({ everyCollected, others }, chat) =>
  chat % everyCollected === 0 ? collector : firstOther + (chat % others)

const prose =
  "Whoever lives abroad for more than half of the year is taxed there, unless a treaty between both states says " +
  "otherwise; what counts are the days, not the reasons. Keep tickets and bills, since the office asks for them years " +
  "later. 在国外居住超过半年的人，一般在当地纳税；两国之间的协定可能另有规定。Ask again with the name of the country. "

/**
 * The statements that make rows `from` to `to`. What a dialect calls its own: a table of the whole numbers `i` from one
 * to another, division that drops the rest, a chat's id and 32 digits from an expression, and a moment.
 * @param {{ numbers: (from: number, to: number) => string, half: (n: string) => string,
 *   whole: (n: string) => string, chatId: (chat: string, scattered: string) => string,
 *   digits: (n: string, scattered: string) => string, moment: (seconds: string) => string }} dialect
 * @param {Shape} shape
 */
export const statementsFor = (dialect, shape) => {
  const { chats, messages, everyLong, everyCollected, others } = shape
  const spread = (n) => `((${n}) * ${factor}) % ${range}`
  const app = (field, of) =>
    `CASE (${of}) % 3 ${apps.map((one, i) => `WHEN ${i} THEN ${field(one)}`).join(" ")} END`
  const quoted = (field) => (one) => `'${one[field]}'`
  // Collected chats by turns as well, whatever their numbers have in common.
  const appOf = (field, chat) => app(field, `${dialect.whole(`(${chat}) / ${everyCollected}`)}`)
  const owner = (chat) =>
    `CASE WHEN (${chat}) % ${everyCollected} = 0 THEN ${collector} ELSE ${firstOther} + (${chat}) % ${others} END`
  const chatId = (chat) => dialect.chatId(chat, spread(chat))

  const sessions = (from, to) => {
    const moment = dialect.moment(dialect.whole(`${spread("i")} / ${range / seconds}`))
    return (
      "INSERT INTO message_session (chat_id, flow_id, flow_type, flow_name, name, user_id, `like`, dislike, copied, " +
      "sensitive_status, memory_floor, opened_by, is_delete, create_time, update_time) " +
      `SELECT ${chatId("i")}, ${appOf(quoted("id"), "i")}, ${appOf(({ type }) => type, "i")}, ` +
      `${appOf(quoted("name"), "i")}, SUBSTR('${prose}', 1 + i % 31, 40), ${owner("i")}, 0, 0, 0, 0, 0, '', 0, ` +
      `${moment}, ${moment} FROM ${dialect.numbers(from, to)}`
    )
  }

  /** Rounds of a question and its answer; the lower its number, the more of them a chat has. */
  const rounds = (from, to) => {
    const share = `${spread("r")} / ${range}.0`
    const chosen =
      `SELECT i, r, CASE WHEN r % ${everyLong} = 0 THEN 0 ` +
      `ELSE 1 + ${dialect.whole(`${chats - 1} * (${share}) * (${share})`)} END AS c ` +
      `FROM (SELECT i, ${dialect.half("i + 1")} AS r FROM ${dialect.numbers(from, to)}) AS numbered`
    const moment = dialect.moment(dialect.whole(`i * ${seconds / messages}`))
    return (
      "INSERT INTO chat_message (id, is_bot, source, type, category, flow_id, chat_id, user_id, run_id, liked, solved, " +
      "copied, sensitive_status, message, intermediate_steps, files, extra, remark, sender, receiver, create_time, " +
      `update_time) SELECT i, 1 - i % 2, 0, CASE i % 2 WHEN 1 THEN 'over' ELSE 'end' END, ` +
      `CASE i % 2 WHEN 1 THEN 'question' ELSE 'answer' END, ${appOf(quoted("id"), "c")}, ${chatId("c")}, ${owner("c")}, ` +
      `${dialect.digits("r", spread("r"))}, 0, 0, 0, 0, SUBSTR('${prose}', 1 + i % 97, 60 + i % 171), '', '', '{}', '', ` +
      `'', '', ${moment}, ${moment} FROM (${chosen}) AS chosen`
    )
  }
  return { sessions, rounds }
}
