/** Who is here: the signed-in user, a fresh guest where guests are welcome, or a form to sign in. */
import { useCallback, useEffect, useState } from "react"
import { ApiError, enterAsGuest, type Me, me, signOut } from "./api.ts"
import { go } from "./route.ts"
import { Shell } from "./Shell.tsx"
import { SignIn } from "./SignIn.tsx"
import { Trouble } from "./Trouble.tsx"

type Entry =
  | { readonly is: "coming" }
  | { readonly is: "in"; readonly me: Me }
  /** `before`: who came here from the inside, and may go back. */
  | { readonly is: "outside"; readonly before?: Me }
  | { readonly is: "trouble"; readonly error: string }

const enter = async (): Promise<Entry> => {
  try {
    return { is: "in", me: await me() }
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 401) throw error
  }
  try {
    await enterAsGuest()
  } catch (error) {
    // Guests are not welcome here: that is no trouble, it takes an account.
    if (error instanceof ApiError && error.status !== 0 && error.status < 500) return { is: "outside" }
    throw error
  }
  return { is: "in", me: await me() }
}

export const Account = () => {
  const [entry, setEntry] = useState<Entry>({ is: "coming" })
  const load = useCallback(() => {
    enter().then(setEntry, (error: unknown) =>
      setEntry({ is: "trouble", error: error instanceof Error ? error.message : String(error) })
    )
  }, [])
  useEffect(load, [load])
  const leave = useCallback(() => {
    go({ at: "start" })
    // Whether or not the server heard it: what it says next of who is here counts.
    signOut().then(load, load)
  }, [load])
  switch (entry.is) {
    case "coming":
      return (
        <p className="splash" role="status">
          Opening Colloquy…
        </p>
      )
    case "outside":
      return <SignIn onDone={load} onBack={entry.before === undefined ? null : load} />
    case "trouble":
      return (
        <main className="splash">
          <Trouble
            title="Colloquy could not be opened"
            detail={entry.error}
            action="Try again"
            onAction={load}
          />
        </main>
      )
    case "in":
      return (
        <Shell
          key={entry.me.userId}
          me={entry.me}
          onSignIn={() => setEntry({ is: "outside", before: entry.me })}
          onSignOut={leave}
        />
      )
  }
}
