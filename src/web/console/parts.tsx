/** What the console's lists share: waiting, nothing there, something went wrong, pages, states. */
import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { Button } from '../parts/button.tsx'
import { failureWords } from '../parts/problem-words.ts'
import { useWords } from '../words/spoken.tsx'
import type { Loaded } from './use-console.ts'

export type Tone = 'good' | 'busy' | 'bad'

/** A list in each of its states; `children` draws it when there is something. */
export function Shown<T>({
  of,
  isEmpty,
  empty,
  children,
}: {
  of: Loaded<T>
  isEmpty(data: T): boolean
  empty: ComponentChildren
  children(data: T): ComponentChildren
}) {
  const { say, find } = useWords()
  const { data, failure, reload } = of
  return (
    <>
      {failure !== undefined && (
        <div class="problem" role="alert">
          {failureWords(failure, find)}{' '}
          <Button kind="quiet" act={reload}>
            {say('again')}
          </Button>
        </div>
      )}
      {data === undefined ? (
        failure === undefined && <p class="muted">{say('pair.title.wait')}</p>
      ) : isEmpty(data) ? (
        <div class="card empty">{empty}</div>
      ) : (
        children(data)
      )}
    </>
  )
}

export interface Cursors {
  readonly cursor: string | undefined
  readonly number: number
  next(cursor: string): void
  back(): void
}

/** Pages forth by cursors, and back by remembering them. */
export function useCursors(): Cursors & { reset(): void } {
  const [stack, setStack] = useState<readonly string[]>([])
  return {
    cursor: stack.at(-1),
    number: stack.length + 1,
    next: (cursor) => setStack([...stack, cursor]),
    back: () => setStack(stack.slice(0, -1)),
    reset: () => setStack([]),
  }
}

export function Pages({ cursors, next, total }: { cursors: Cursors; next: string | null; total?: string }) {
  const { say } = useWords()
  if (next === null && cursors.cursor === undefined)
    return total === undefined ? null : <p class="muted">{total}</p>
  return (
    <nav class="pages" aria-label={say('console.pages')}>
      <Button kind="plain" isDisabled={cursors.cursor === undefined} act={async () => cursors.back()}>
        {say('console.back')}
      </Button>
      <span class="muted">{total ?? cursors.number}</span>
      <Button kind="plain" isDisabled={next === null} act={async () => next !== null && cursors.next(next)}>
        {say('console.next')}
      </Button>
    </nav>
  )
}

/** One of a few, as buttons side by side. */
export function Choice<T extends string>({
  label,
  options,
  value,
  choose,
}: {
  label: string
  options: readonly (readonly [value: T, name: string, count?: number | undefined])[]
  value: T
  choose(value: T): void
}) {
  const { language } = useWords()
  const figure = new Intl.NumberFormat(language)
  return (
    <fieldset class="choice" aria-label={label}>
      {options.map(([each, name, count]) => (
        <button
          key={each}
          type="button"
          class="chip"
          aria-pressed={each === value}
          onClick={() => choose(each)}
        >
          {name}
          {count !== undefined && <span class="count">{figure.format(count)}</span>}
        </button>
      ))}
    </fieldset>
  )
}
