import { useEffect, useId, useRef, useState } from 'preact/hooks'
import { useWords } from '../words/spoken.tsx'
import { failureWords } from './problem-words.ts'

/** The way in: one field, which a password store may fill. */
export function SignIn({ enter, button }: { enter(apiKey: string): Promise<void>; button?: string }) {
  const { say, find } = useWords()
  const id = useId()
  const field = useRef<HTMLInputElement>(null)
  useEffect(() => {
    // Once the dialog around it is open, which takes the focus itself.
    const frame = requestAnimationFrame(() => field.current?.focus())
    return () => cancelAnimationFrame(frame)
  }, [])
  const [key, setKey] = useState('')
  const [isBusy, setBusy] = useState(false)
  const [failure, setFailure] = useState<string>()
  const submit = async (): Promise<void> => {
    setBusy(true)
    setFailure(undefined)
    await enter(key.trim()).catch((thrown: unknown) => {
      setFailure(failureWords(thrown, find))
      setBusy(false)
    })
  }
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        if (!isBusy && key.trim() !== '') void submit()
      }}
    >
      <div class="field">
        <label for={id}>{say('console.key')}</label>
        <input
          id={id}
          ref={field}
          type="password"
          autoComplete="current-password"
          value={key}
          aria-invalid={failure !== undefined}
          onInput={({ currentTarget }) => setKey(currentTarget.value)}
        />
      </div>
      <p class="muted small">{say('console.key.why')}</p>
      {failure !== undefined && (
        <p class="failure" role="alert">
          {failure}
        </p>
      )}
      <button type="submit" class="main wide" aria-busy={isBusy}>
        {button ?? say('console.enter')}
      </button>
    </form>
  )
}
