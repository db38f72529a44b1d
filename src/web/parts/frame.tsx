import type { ComponentChildren } from 'preact'
import type { Link } from '../live/follow.ts'
import { LanguageChoice } from '../words/language-choice.tsx'
import { useWords } from '../words/spoken.tsx'

export interface FrameProps {
  readonly title?: string
  /** One card in the middle, for a page with one thing to do. */
  readonly isNarrow?: boolean
  /** Lost: what is shown may be old, and the page says so. */
  readonly link?: Link
  readonly children: ComponentChildren
}

/** What is shown may be old, and comes back by itself. */
export function Offline({ link }: { link: Link }) {
  const { say } = useWords()
  return (
    <p class="offline" role="status" hidden={link !== 'lost'}>
      {link === 'lost' ? say('offline') : ''}
    </p>
  )
}

/** What every page has around it: its name, the language, and whether what it shows is live. */
export function Frame({ title, isNarrow = false, link = 'live', children }: FrameProps) {
  return (
    <div class={isNarrow ? 'frame narrow' : 'frame'}>
      <header class="head">
        {title === undefined ? <span /> : <h1>{title}</h1>}
        <LanguageChoice />
      </header>
      <Offline link={link} />
      <main class={isNarrow ? 'card' : ''}>{children}</main>
    </div>
  )
}
