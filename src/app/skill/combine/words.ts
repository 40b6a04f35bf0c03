/** The usual prompts for answering from passages, where a graph has none of its own. */

const rules =
  "Use only what stands there. If it does not hold the answer, say that you could not find it; make nothing up. " +
  "Answer in the language of the question."

export const stuffInstruction = (context: string): string =>
  `Answer the user's question from the following passages. ${rules}\n\n----------------\n${context}\n----------------`

export const summary = (context: string): string =>
  "Write a concise summary of the following text, in the text's own language.\n\n" +
  `----------------\n${context}\n----------------\n\nSummary:`

export const mapStep = (context: string, question: string): string =>
  "Below is one part of a long document. Copy out, word for word, whatever in it helps to answer the question. " +
  `If there is nothing, say so in one short sentence.\n\n${context}\n\nQuestion: ${question}\nRelevant text:`

export const reduceStep = (context: string, question: string): string =>
  `Below are findings from several parts of a long document, and a question. Answer the question from them. ${rules}` +
  `\n\n${context}\n\nQuestion: ${question}\nAnswer:`

export const collapseStep = (context: string, question: string): string =>
  "Below are findings from several parts of a long document. Put together, without loss of facts, what in them " +
  `bears on the question.\n\n${context}\n\nQuestion: ${question}\nFindings:`

export const refineStep = (context: string, question: string, before: string): string =>
  `Question: ${question}\n\nAn answer made from earlier passages:\n${before}\n\n` +
  "Improve it with the following passage, where that adds or corrects something; else repeat it unchanged. " +
  `Give the answer alone, in the language of the question.\n\n----------------\n${context}\n----------------\n\nAnswer:`

export const refineSummary = (context: string, before: string): string =>
  `A summary of the text so far:\n${before}\n\nExtend it by the part of the text that follows, in the text's own ` +
  `language. Give the summary alone.\n\n----------------\n${context}\n----------------\n\nSummary:`

export const rankStep = (context: string, question: string): string =>
  `Answer the question from the passage below, and say how well the passage answers it. ${rules}\n` +
  "End with a line of this form, a whole number from 0 (the passage says nothing on it) to 100 (answers fully):\n" +
  `Score: <number>\n\n----------------\n${context}\n----------------\n\nQuestion: ${question}\nAnswer:`
