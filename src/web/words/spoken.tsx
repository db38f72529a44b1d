/** The language of the page: chosen by the reader, else by his browser. */
import { type ComponentChildren, createContext } from 'preact'
import { useCallback, useContext, useEffect, useLayoutEffect, useMemo, useState } from 'preact/hooks'
import { isLanguage, type Language, loadWords, preferredLanguage, type Words } from './words.ts'

const KEY = 'language'

interface Spoken extends Words {
  speak(language: Language): void
}

const SpokenContext = createContext<Spoken | undefined>(undefined)

export function useWords(): Spoken {
  const spoken = useContext(SpokenContext)
  if (spoken === undefined) throw new Error('useWords is for what stands inside <Speaking>')
  return spoken
}

/** Storage may be closed to a page in another's frame; the language then lasts as long as the page. */
function remembered(): Language | undefined {
  try {
    const text = localStorage.getItem(KEY)
    return isLanguage(text) ? text : undefined
  } catch {
    return undefined
  }
}

function remember(language: Language): void {
  try {
    localStorage.setItem(KEY, language)
  } catch {
    // See remembered().
  }
}

/** English stands in the page itself: it speaks when the other words do not come. */
export const firstWords = (): Promise<Words> =>
  loadWords(remembered() ?? preferredLanguage(navigator.languages)).catch(() => loadWords('en'))

/** @param first the words to begin with, loaded before the first paint. */
export function Speaking({ first, children }: { first: Words; children: ComponentChildren }) {
  const [words, setWords] = useState(first)
  const speak = useCallback((language: Language) => {
    remember(language)
    loadWords(language).then(setWords, () => undefined)
  }, [])
  useLayoutEffect(() => {
    document.documentElement.lang = words.language
  }, [words])
  const spoken = useMemo(() => ({ ...words, speak }), [words, speak])
  return <SpokenContext.Provider value={spoken}>{children}</SpokenContext.Provider>
}

/** What the browser calls the page, in its tab and its history. */
export function useTabTitle(title: string): void {
  useEffect(() => {
    document.title = title
  }, [title])
}

/** A sentence whose `*stars*` are set in bold. */
export function Sentence({ text }: { text: string }) {
  return (
    <>
      {text.split('*').map((part, index) => (index % 2 === 1 ? <strong key={index}>{part}</strong> : part))}
    </>
  )
}
