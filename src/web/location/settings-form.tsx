import { useEffect, useRef, useState } from 'preact/hooks'
import { type Api, got, type Session, type Settings } from '../api/client.ts'
import { Button } from '../parts/button.tsx'
import { spacedPhone } from '../parts/countries.ts'
import { failureWords } from '../parts/problem-words.ts'
import { useWords } from '../words/spoken.tsx'

export interface SettingsFormProps {
  readonly api: Api
  readonly locationId: string
  readonly sessions: readonly Session[]
}

/** What is not sent stays as it is: another page may have changed it meanwhile. */
const changed = (saved: Settings, wanted: Settings): Partial<Settings> =>
  Object.fromEntries(
    Object.entries(wanted).filter(([name, value]) => saved[name as keyof Settings] !== value),
  ) // a Settings' own names

const SWITCHES = ['groups', 'label', 'markRead'] as const

export function SettingsForm({ api, locationId, sessions }: SettingsFormProps) {
  const { say, find } = useWords()
  const [saved, setSaved] = useState<Settings>()
  const [wanted, setWanted] = useState<Settings>()
  const [isJustSaved, setJustSaved] = useState(false)
  const [wrong, setWrong] = useState<readonly string[]>([])
  const [failure, setFailure] = useState<unknown>()
  const isTouched = useRef(false)
  const params = { path: { locationId } }
  const take = (settings: Settings): void => {
    isTouched.current = false
    setSaved(settings)
    setWanted(settings)
  }
  const load = async (): Promise<void> => {
    setFailure(undefined)
    await got(api.GET('/ghl/location/{locationId}/settings', { params })).then((settings) => {
      if (!isTouched.current) take(settings)
    }, setFailure)
  }
  useEffect(() => {
    void load()
  }, [api, locationId])
  if (failure !== undefined)
    return (
      <section class="card">
        <h2>{say('settings.title')}</h2>
        <p class="problem">{failureWords(failure, find)}</p>
        <Button kind="plain" act={load}>
          {say('again')}
        </Button>
      </section>
    )
  if (wanted === undefined || saved === undefined) return null
  const change = (part: Partial<Settings>): void => {
    isTouched.current = true
    setWanted({ ...wanted, ...part })
    setJustSaved(false)
  }
  const changes = changed(saved, wanted)
  const save = async (): Promise<void> => {
    take(await got(api.PUT('/ghl/location/{locationId}/settings', { params, body: changes })))
    setJustSaved(true)
  }
  const judge = (name: string, isRight: boolean): void => {
    isTouched.current = true
    setWrong((before) => [...before.filter((each) => each !== name), ...(isRight ? [] : [name])])
  }
  const isSaved = Object.keys(changes).length === 0
  return (
    <details
      class="card settings"
      onToggle={({ currentTarget: { open } }) => {
        if (open && isSaved && wrong.length === 0) {
          isTouched.current = false
          void load()
        }
      }}
    >
      <summary>
        <h2>{say('settings.title')}</h2>
      </summary>
      {SWITCHES.map((name) => (
        <label key={name} class="switch">
          <input
            type="checkbox"
            checked={wanted[name]}
            onChange={({ currentTarget }) => change({ [name]: currentTarget.checked })}
          />
          <span>
            <strong>{say(`settings.${name}`)}</strong>
            <span class="muted">{say(`settings.${name}.why`)}</span>
          </span>
        </label>
      ))}
      <NumberField
        key={`hold ${saved.holdAfterMinutes}`}
        name="holdAfterMinutes"
        most={168}
        least={1 / 60}
        step={1 / 60}
        value={Math.round((wanted.holdAfterMinutes / 60) * 100) / 100}
        change={(hours) => change({ holdAfterMinutes: Math.max(1, Math.round(hours * 60)) })}
        judge={judge}
      />
      <NumberField
        key={`history ${saved.historyDays}`}
        name="historyDays"
        most={90}
        least={0}
        step={1}
        value={wanted.historyDays}
        change={(historyDays) => change({ historyDays })}
        judge={judge}
      />
      {sessions.length > 1 && (
        <label class="field">
          <strong>{say('settings.pinned')}</strong>
          <select
            value={wanted.pinnedSessionId ?? ''}
            onChange={({ currentTarget: { value } }) =>
              change({ pinnedSessionId: value === '' ? null : value })
            }
          >
            <option value="">{say('settings.pinned.none')}</option>
            {sessions.map(({ id, name, phoneNumber }) => (
              <option key={id} value={id}>
                {name ?? (phoneNumber === null ? say('number.new') : spacedPhone(phoneNumber))}
              </option>
            ))}
          </select>
        </label>
      )}
      <div class="actions">
        <Button isDisabled={isSaved || wrong.length > 0} act={save}>
          {say('save')}
        </Button>
        <span role="status" class="muted">
          {isJustSaved && isSaved ? say('settings.saved') : ''}
        </span>
      </div>
    </details>
  )
}

interface NumberFieldProps {
  readonly name: 'holdAfterMinutes' | 'historyDays'
  readonly least: number
  readonly most: number
  /** 1: whole numbers only. */
  readonly step: number
  readonly value: number
  change(value: number): void
  /** Says whether what stands in the field can be saved. */
  judge(name: string, isRight: boolean): void
}

function NumberField({ name, least, most, step, value, change, judge }: NumberFieldProps) {
  const { say } = useWords()
  const [typed, setTyped] = useState<string>()
  const [isWrong, setWrong] = useState(false)
  return (
    <label class="field">
      <strong>{say(`settings.${name}`)}</strong>
      <span class="muted">{say(`settings.${name}.why`)}</span>
      <input
        type="number"
        inputMode="numeric"
        min={step === 1 ? least : 0}
        max={most}
        step={step === 1 ? 1 : 'any'}
        value={typed ?? value}
        aria-invalid={isWrong}
        onInput={({ currentTarget }) => {
          setTyped(currentTarget.value)
          const { valueAsNumber: next } = currentTarget
          const isRight = next >= least && next <= most && (step !== 1 || Number.isInteger(next))
          setWrong(!isRight)
          judge(name, isRight)
          if (isRight) change(next)
        }}
      />
      {isWrong && (
        <span class="field-wrong" role="alert">
          {say(`settings.${name}.wrong`)}
        </span>
      )}
    </label>
  )
}
