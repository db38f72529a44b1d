import { useWords } from './spoken.tsx'
import { isLanguage, LANGUAGES } from './words.ts'

export function LanguageChoice() {
  const { language, say, speak } = useWords()
  return (
    <select
      class="language"
      aria-label={say('language')}
      value={language}
      onChange={({ currentTarget: { value } }) => {
        if (isLanguage(value)) speak(value)
      }}
    >
      {Object.entries(LANGUAGES).map(([tag, name]) => (
        <option key={tag} value={tag} lang={tag}>
          {name}
        </option>
      ))}
    </select>
  )
}
