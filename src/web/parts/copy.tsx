import { useRef, useState } from 'preact/hooks'
import { useWords } from '../words/spoken.tsx'
import { Button } from './button.tsx'

/** False where a browser has no clipboard for us: without https, and in a frame that was not allowed it. */
export async function isCopied(text: string): Promise<boolean> {
  // Absent without https, whatever its type says.
  const clipboard = navigator.clipboard as Clipboard | undefined
  if (clipboard === undefined) return false
  return await clipboard.writeText(text).then(
    () => true,
    () => false,
  )
}

/** Copies, and says so; or selects the field beside it, for whoever reads this to copy it himself. */
export function Copy({ text, done }: { text: string; done?(): void }) {
  const { say } = useWords()
  const [outcome, setOutcome] = useState<'copied' | 'selected'>()
  const here = useRef<HTMLSpanElement>(null)
  const copy = async (): Promise<void> => {
    const isDone = await isCopied(text)
    if (!isDone) here.current?.parentElement?.querySelector<HTMLInputElement>('input, textarea')?.select()
    setOutcome(isDone ? 'copied' : 'selected')
    done?.()
  }
  return (
    <span ref={here} class="copy">
      <Button kind="plain" act={copy}>
        {say(outcome === 'copied' ? 'console.copied' : 'console.copy')}
      </Button>
      <span class="muted small" role="status">
        {outcome === 'selected' && say('copy.selected')}
      </span>
    </span>
  )
}
