/** The line to one app's service: where it is, what is sent along, and how long to wait. */
import { type RemoteSettings, secretsOf } from "./RemoteSettings.ts"

export interface Line {
  readonly settings: RemoteSettings
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  /** The longest silence. */
  readonly seconds: number
  /** The operator's allow-list. */
  readonly hosts: ReadonlyArray<string>
  readonly redact: (text: string) => string
}

const usualSeconds = 60

export const lineTo = (settings: RemoteSettings, hosts: ReadonlyArray<string>): Line => ({
  settings,
  url: new URL(settings.url),
  headers: {
    "user-agent": "colloquy",
    ...(settings.api_key ? { authorization: `Bearer ${settings.api_key}` } : {}),
    ...settings.headers,
    "content-type": "application/json",
    "accept-encoding": "identity"
  },
  seconds: settings.timeout ?? usualSeconds,
  hosts,
  redact: secretsOf(settings)
})
