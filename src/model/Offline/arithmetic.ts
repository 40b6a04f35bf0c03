/**
 * Finds the arithmetic in a question and writes it as an expression of `+ - * / ^ ( )` and numbers, for the
 * calculator tool; null when the question is not (only) arithmetic.
 */

const maxQuestionChars = 200

/** What people put around a calculation. */
const wrapping = [
  /^(?:please|hey|hi|hello|so|ok|and|could you|can you|tell me|请问|请|麻烦|帮我|你好|那么?|告诉我)[\s,，:：]*/,
  /^(?:what(?:'s|’s| is| are)(?: the (?:result|value|answer|sum|product) of)?|how much (?:is|are)|calculate|compute|evaluate|solve|work out|find|计算一下|计算|算一下|算算|算出|算|求)[\s,，:：]*/,
  /[\s,，]*(?:等于(?:多少|几|什么)?|是(?:多少|几)|得(?:多少|几)|结果(?:是(?:多少|什么))?|多少|equals?|equal to|please|[=?？。!！.])\s*$/
]

const numeral = String.raw`(\d+(?:\.\d+)?|\([^()]*\))`

const rewritten: ReadonlyArray<readonly [RegExp, string]> = [
  [/[×✕✖⋅·]/g, "*"],
  [/÷/g, "/"],
  [/[−–—]/g, "-"],
  [/\*\*/g, "^"],
  [/(?<=\d),(?=\d{3}(?!\d))/g, ""],
  // Percent first: "15% of 80", "80的15%", "百分之15".
  [/百分之\s*(\d+(?:\.\d+)?)/g, "($1/100)"],
  [/(\d+(?:\.\d+)?)\s*(?:%|percent|per cent)/g, "($1/100)"],
  [/(?<=\))\s*of\s+/g, "*"],
  [/(?<=\d)\s*的\s*(?=\(\d+(?:\.\d+)?\/100\))/g, "*"],
  // Powers and roots.
  [new RegExp(`${numeral}\\s*的\\s*${numeral}\\s*次(?:方|幂)`, "g"), "$1^$2"],
  [new RegExp(`${numeral}\\s*的?\\s*平方根`, "g"), "$1^0.5"],
  [new RegExp(`${numeral}\\s*的?\\s*(?:平方|squared)`, "g"), "$1^2"],
  [new RegExp(`${numeral}\\s*的?\\s*(?:立方|cubed)`, "g"), "$1^3"],
  [new RegExp(`(?:the )?square root of\\s*${numeral}`, "g"), "$1^0.5"],
  [new RegExp(`(?:根号|√)\\s*${numeral}`, "g"), "$1^0.5"],
  [/\s*(?:to the power of|raised to(?: the power of)?|to the)\s*/g, "^"],
  [/(?<=\^\d+)\s*(?:st|nd|rd|th)(?: power)?/g, ""],
  // Words for the four operations.
  [/\s*(?:multiplied by|times|乘以|乘上|乘)\s*/g, "*"],
  [/\s*(?:divided by|除以)\s*/g, "/"],
  [/\s*(?:plus|加上|加)\s*/g, "+"],
  [/\s*(?:minus|减去|减)\s*/g, "-"],
  [/(?<=[\d)])\s*x\s*(?=[\d(])/g, "*"]
]

export const arithmeticIn = (question: string): string | null => {
  if (question.length > maxQuestionChars) return null
  const asked = question.normalize("NFKC").trim().toLowerCase()
  const bare = unwrap(asked)
  const expression = rewritten
    .reduce((text, [pattern, replacement]) => text.replace(pattern, replacement), bare)
    .replace(/\s+/g, " ")
    .trim()
  if (!/^[\d.+\-*/^() ]+$/.test(expression)) return null
  if (!/[\d)]\s*[+\-*/^]\s*[-(\d.]/.test(expression) || /\d\s+\d/.test(expression)) return null
  // A date, a version or a telephone number, unless the words around it ask for its value.
  if (bare === asked && /^\d+([-/.])\d+\1\d+$/.test(expression)) return null
  return balanced(expression) ? expression.replaceAll(" ", "") : null
}

const unwrap = (text: string): string => {
  let rest = text
  for (let before = ""; before !== rest; ) {
    before = rest
    for (const pattern of wrapping) rest = rest.replace(pattern, "").trim()
  }
  return rest
}

const balanced = (expression: string): boolean => {
  let depth = 0
  for (const sign of expression) {
    if (sign === "(") depth++
    if (sign === ")" && --depth < 0) return false
  }
  return depth === 0
}
