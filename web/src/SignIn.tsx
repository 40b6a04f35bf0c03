/** Signing in, or making an account: one form for both. */
import { type FormEvent, useState } from "react"
import { register, signIn } from "./api.ts"
import { Mark } from "./icons.tsx"
import { go } from "./route.ts"
import { Trouble } from "./Trouble.tsx"

interface SignInProps {
  readonly onDone: () => void
  /** Back to where one came from, if one came from the inside. */
  readonly onBack: (() => void) | null
}

export const SignIn = ({ onDone, onBack }: SignInProps) => {
  const [isNew, setNew] = useState(false)
  const [name, setName] = useState("")
  const [password, setPassword] = useState("")
  const [error, setError] = useState("")
  const [busy, setBusy] = useState(false)

  const submit = async (event: FormEvent) => {
    event.preventDefault()
    setBusy(true)
    setError("")
    try {
      if (isNew) await register(name, password)
      else await signIn(name, password)
      // Another person's chat may be in the address.
      go({ at: "start" })
      onDone()
    } catch (cause) {
      setError(cause instanceof Error ? cause.message : String(cause))
    } finally {
      setBusy(false)
    }
  }

  return (
    <main className="sign-in">
      <form onSubmit={submit}>
        <Mark />
        <h1>{isNew ? "Make an account" : "Sign in to Colloquy"}</h1>
        {error !== "" && (
          <Trouble title={isNew ? "That did not work" : "You are not signed in"} detail={error} />
        )}
        <label>
          Name
          <input
            name="username"
            autoComplete="username"
            required
            value={name}
            onChange={(event) => setName(event.target.value)}
          />
        </label>
        <label>
          Password
          <input
            name="password"
            type="password"
            autoComplete={isNew ? "new-password" : "current-password"}
            required
            value={password}
            onChange={(event) => setPassword(event.target.value)}
          />
        </label>
        <button type="submit" className="button primary" disabled={busy}>
          {isNew ? "Make the account" : "Sign in"}
        </button>
        <button type="button" className="button quiet" onClick={() => setNew(!isNew)}>
          {isNew ? "I have an account" : "I am new here"}
        </button>
        {onBack !== null && (
          <button type="button" className="button quiet" onClick={onBack}>
            Back
          </button>
        )}
      </form>
    </main>
  )
}
