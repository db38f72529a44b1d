import { useId, useMemo, useState } from 'preact/hooks'
import { useWords } from '../words/spoken.tsx'
import { COUNTRIES, countriesIn, homeCountry, phoneFrom } from './countries.ts'

export interface PhoneFieldProps {
  readonly label: string
  /** Called with E.164, `''` for nothing, `undefined` for what cannot be a number. */
  onPhone(phone: string | undefined): void
  readonly isWrong?: boolean
}

/** A number with its country, so that nobody has to know calling codes. */
export function PhoneField({ label, onPhone, isWrong = false }: PhoneFieldProps) {
  const { language, say } = useWords()
  const id = useId()
  const [countryId, setCountry] = useState(() => homeCountry(navigator.languages))
  const [typed, setTyped] = useState('')
  const countries = useMemo(() => countriesIn(language), [language])

  const change = (nextTyped: string, nextCountryId: string): void => {
    setTyped(nextTyped)
    setCountry(nextCountryId)
    const country = COUNTRIES.find((each) => each.id === nextCountryId)
    if (country !== undefined) onPhone(nextTyped.trim() === '' ? '' : phoneFrom(nextTyped, country))
  }

  return (
    <div class="field">
      <label for={id}>{label}</label>
      <div class="phone-field">
        <select
          aria-label={say('phone.country')}
          value={countryId}
          onChange={({ currentTarget }) => change(typed, currentTarget.value)}
        >
          {countries.map((country) => (
            <option key={country.id} value={country.id}>
              {`+${country.code} ${country.name}`}
            </option>
          ))}
        </select>
        <input
          id={id}
          type="tel"
          inputMode="tel"
          autocomplete="tel-national"
          placeholder={say('phone.placeholder')}
          value={typed}
          aria-invalid={isWrong}
          aria-describedby={isWrong ? `${id}-wrong` : undefined}
          onInput={({ currentTarget }) => change(currentTarget.value, countryId)}
        />
      </div>
      {isWrong && (
        <p class="field-wrong" id={`${id}-wrong`}>
          {say('phone.wrong')}
        </p>
      )}
    </div>
  )
}
