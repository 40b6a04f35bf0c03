/** Which of a server's statements serve pages, each once: a server also looks after its runs meanwhile. */
const pageTables = /\b(message_session|chat_message|user)\b/

/** @param {ReadonlyArray<string>} statements @returns {ReadonlyArray<string>} */
export const ofPage = (statements) => [
  ...new Set(statements.filter((statement) => pageTables.test(statement) && !/\bFROM run\b/.test(statement)))
]
