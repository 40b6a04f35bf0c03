/**
 * Words as retrieval counts them. Chinese, which writes no spaces, is cut by the platform's own dictionary
 * (`Intl.Segmenter`); English is lower-cased and loses its common endings, so that "sessions" finds "session".
 */

const zh = new Intl.Segmenter("zh", { granularity: "word" })

const chinese = /\p{Script=Han}/u

/** The language to answer in. */
export const isChinese = (text: string): boolean => chinese.test(text)

/**
 * The segmenter's time grows with the square of a text's length (measured on Node 20: 64,000 characters take
 * 25 ms in slices of 1,000, minutes as one), so it never sees more than this at once.
 */
const slices = (text: string): ReadonlyArray<string> => text.match(/.{1,500}/gsu) ?? []

/** The pieces of a text in its own order, spaces and punctuation with the word before them. */
export const pieces = (text: string): ReadonlyArray<string> => {
  const found: Array<string> = []
  for (const slice of slices(text)) {
    for (const { segment, isWordLike } of zh.segment(slice)) {
      const last = found.length - 1
      if (isWordLike === true || last < 0) found.push(segment)
      else found[last] += segment
    }
  }
  return found
}

const stopWords = new Set(
  (
    "a about also am an and any are as at be been being but by can could did do does for from get give had has have " +
    "he her here him his how i if in into is it its just like made make many may me might more most much must my no " +
    "not of on only or our please say says she should show so some such tell than that the their them then there " +
    "these they this those to too up us use used using want was we were what when where which who whom whose why " +
    "will with would you your it's what's i'm don't doesn't let let's explain describe find know need " +
    "的 了 是 在 和 与 及 或 也 都 就 吗 呢 吧 啊 嘛 呀 么 什么 怎么 怎样 怎么样 如何 为什么 为何 哪 哪些 哪个 哪里 谁 几 " +
    "我 你 您 他 她 它 我们 你们 他们 这 那 这个 那个 这些 那些 请 请问 一下 一个 一种 有 没有 会 能 能够 可以 要 想 把 被 " +
    "对 从 到 给 为 以 于 之 其 并 而 但 但是 上 下 中 里 些 个 种 告诉 介绍 关于 知道 说 讲 吗"
  ).split(" ")
)

/** Light stemming: plural and the commonest verb endings, and nothing clever. */
const stem = (word: string): string => {
  if (word.length < 4 || !/^[a-z]+$/.test(word)) return word
  if (/ie[sd]$/.test(word)) return `${word.slice(0, -3)}y`
  if (/(?:ss|x|z|ch|sh)es$/.test(word)) return word.slice(0, -2)
  if (/[^su]s$/.test(word)) return ending(word.slice(0, -1))
  return ending(word)
}

const ending = (word: string): string => {
  const cut = /^(.*[aeiouy].*?)(?:ing|ed)$/.exec(word)?.[1]
  if (cut === undefined || cut.length < 3)
    return word.length > 4 && word.endsWith("e") ? word.slice(0, -1) : word
  return /([bdgklmnprt])\1$/.test(cut) ? cut.slice(0, -1) : cut
}

/** Runs of a script without spaces, or words of the others: those need no dictionary, and cost 20 times less. */
const runs =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]+|(?:(?![\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}])[\p{L}\p{M}\p{N}_]|(?<=[\p{L}\p{N}])[.'](?=[a-z\d]))+/gu

const unspaced = /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]/u

/** Every word of a text, for indexing; stop words are left out. `snake_case` and `a.b` give their parts too. */
export const terms = (text: string): ReadonlyArray<string> => {
  const found: Array<string> = []
  for (const [run] of text.normalize("NFKC").toLowerCase().matchAll(runs)) {
    if (unspaced.test(run)) {
      for (const slice of slices(run)) {
        for (const { segment } of zh.segment(slice)) if (!stopWords.has(segment)) found.push(segment)
      }
      continue
    }
    if (stopWords.has(run)) continue
    const parts = run.split(/[._']+/).filter((part) => part !== "")
    if (parts.length > 1) found.push(run)
    for (const part of parts) if (!stopWords.has(part)) found.push(stem(part))
  }
  return found
}
