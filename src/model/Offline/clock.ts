/** Is it the time or the date that is asked for, and where? */

export interface TimeQuestion {
  /** An IANA zone, or null for the server's own. */
  readonly timeZone: string | null
}

const english =
  /^(?:(?:please|hi|hello|hey)[\s,]+)*(?:can you |could you |do you |please )*(?:tell me |know |say )?(?:what time is it|what(?:'s|’s| is) the (?:current |exact )?(?:time|date)|what(?:'s|’s| is) (?:today(?:'s|’s) date|the date today)|the (?:current )?(?:time|date)|(?:current|local) (?:time|date)|today(?:'s|’s) date|what (?:day|date|year|month) is (?:it|today)|what day of the week is it|time|date)(?: (?:right )?now| today| currently| please| at the moment)*(?: (?:in|at|for) (?<place>[\p{L} _/'-]{2,40}?))?(?: (?:right )?now| today| currently| please)*[\s?.!]*$/iu

const chinese =
  /^(?:请问|请告诉我|告诉我|你知道|知道|你好)?[\s,，]*(?<before>[\p{Script=Han}]{2,8}?)?(?:的)?(?:现在|当前|目前|今天|今日|此刻|这会儿)*(?:是|的)*(?:几点(?:钟|了)*|什么时间|(?<!什么)时间(?:是(?:多少|几点|什么))?|日期(?:是(?:多少|什么|几号))?|几号|几月几[日号]|星期几|周几|礼拜几|哪一?天|哪一?年|几几年|什么日子)(?:了|呢|啊|吗)*[\s?？。!！]*$/u

/** Chinese names, and the places whose zone is called after another city. */
const places: Readonly<Record<string, string>> = {
  北京: "Asia/Shanghai",
  上海: "Asia/Shanghai",
  中国: "Asia/Shanghai",
  深圳: "Asia/Shanghai",
  广州: "Asia/Shanghai",
  杭州: "Asia/Shanghai",
  香港: "Asia/Hong_Kong",
  台北: "Asia/Taipei",
  东京: "Asia/Tokyo",
  日本: "Asia/Tokyo",
  首尔: "Asia/Seoul",
  韩国: "Asia/Seoul",
  新加坡: "Asia/Singapore",
  曼谷: "Asia/Bangkok",
  新德里: "Asia/Kolkata",
  印度: "Asia/Kolkata",
  迪拜: "Asia/Dubai",
  莫斯科: "Europe/Moscow",
  伦敦: "Europe/London",
  英国: "Europe/London",
  巴黎: "Europe/Paris",
  法国: "Europe/Paris",
  柏林: "Europe/Berlin",
  德国: "Europe/Berlin",
  纽约: "America/New_York",
  华盛顿: "America/New_York",
  芝加哥: "America/Chicago",
  洛杉矶: "America/Los_Angeles",
  旧金山: "America/Los_Angeles",
  西雅图: "America/Los_Angeles",
  多伦多: "America/Toronto",
  温哥华: "America/Vancouver",
  悉尼: "Australia/Sydney",
  beijing: "Asia/Shanghai",
  china: "Asia/Shanghai",
  shenzhen: "Asia/Shanghai",
  japan: "Asia/Tokyo",
  korea: "Asia/Seoul",
  india: "Asia/Kolkata",
  delhi: "Asia/Kolkata",
  mumbai: "Asia/Kolkata",
  germany: "Europe/Berlin",
  munich: "Europe/Berlin",
  france: "Europe/Paris",
  england: "Europe/London",
  uk: "Europe/London",
  switzerland: "Europe/Zurich",
  geneva: "Europe/Zurich",
  "san francisco": "America/Los_Angeles",
  seattle: "America/Los_Angeles",
  california: "America/Los_Angeles",
  boston: "America/New_York",
  washington: "America/New_York",
  utc: "UTC",
  gmt: "UTC"
}

/** "Tokyo" from "Asia/Tokyo": every city that the time zone database names. */
const zoneOfCity: ReadonlyMap<string, string> = new Map(
  Intl.supportedValuesOf("timeZone").flatMap((zone) => [
    [zone.toLowerCase(), zone] as const,
    [(zone.split("/").at(-1) ?? zone).replaceAll("_", " ").toLowerCase(), zone] as const
  ])
)

const zoneOf = (place: string): string | undefined => {
  const name = place.trim().toLowerCase()
  return places[name] ?? zoneOfCity.get(name) ?? zoneOfCity.get(name.replaceAll(" ", "_"))
}

/** null when the question is about something else, or about the time at a place nobody here knows. */
export const timeQuestionIn = (question: string): TimeQuestion | null => {
  if (question.length > 120) return null
  const text = question.normalize("NFKC").trim()
  const found = english.exec(text) ?? chinese.exec(text)
  if (found === null) return null
  const place =
    found.groups?.place ?? found.groups?.before?.replace(/(?:现在|当前|目前|今天|今日|时间)$/u, "")
  if (place === undefined || place === "" || /^(?:现在|当前|目前|今天|今日|今年|这里)$/u.test(place)) {
    return { timeZone: null }
  }
  const zone = zoneOf(place)
  return zone === undefined ? null : { timeZone: zone }
}
