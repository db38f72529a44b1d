import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { useWords } from '../words/spoken.tsx'
import { useIsHere } from './is-here.ts'
import { failureWords } from './problem-words.ts'

export interface ButtonProps {
  readonly kind?: 'main' | 'plain' | 'quiet' | 'danger' | 'quiet-danger'
  readonly isDisabled?: boolean
  readonly label?: string
  act(): Promise<unknown> | undefined
  readonly children: ComponentChildren
}

/** Does one thing at a time, and says beside itself why it could not be done. */
export function Button({ kind = 'main', isDisabled = false, label, act, children }: ButtonProps) {
  const { find } = useWords()
  const [isBusy, setBusy] = useState(false)
  const [failure, setFailure] = useState<string>()
  const isHere = useIsHere()
  const press = async (): Promise<void> => {
    if (isBusy) return
    setBusy(true)
    setFailure(undefined)
    try {
      await act()
    } catch (thrown) {
      if (isHere.current) setFailure(failureWords(thrown, find))
    } finally {
      if (isHere.current) setBusy(false)
    }
  }
  return (
    <>
      <button
        type="button"
        class={kind}
        aria-busy={isBusy}
        aria-label={label}
        disabled={isDisabled}
        onClick={() => void press()}
      >
        {children}
      </button>
      {failure !== undefined && (
        <p class="failure" role="alert">
          {failure}
        </p>
      )}
    </>
  )
}
