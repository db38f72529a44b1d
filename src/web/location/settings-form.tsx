import { useEffect, useState } from 'preact/hooks'
import { type Api, got, type Session, type Settings } from '../api/client.ts'
import { Button } from '../parts/button.tsx'
import { spacedPhone } from '../parts/countries.ts'
import { useWords } from '../words/spoken.tsx'

export interface SettingsFormProps {
  readonly api: Api
  readonly locationId: string
  readonly sessions: readonly Session[]
}

const SWITCHES = ['groups', 'label', 'markRead'] as const

export function SettingsForm({ api, locationId, sessions }: SettingsFormProps) {
  const { say } = useWords()
  const [saved, setSaved] = useState<Settings>()
  const [wanted, setWanted] = useState<Settings>()
  const params = { path: { locationId } }
  const take = (settings: Settings): void => {
    setSaved(settings)
    setWanted(settings)
  }
  useEffect(() => {
    got(api.GET('/ghl/location/{locationId}/settings', { params })).then(take, () => undefined)
  }, [api, locationId])
  if (wanted === undefined || saved === undefined) return null
  const change = (part: Partial<Settings>): void => {
    setWanted({ ...wanted, ...part })
  }
  const save = async (): Promise<void> => {
    take(await got(api.PUT('/ghl/location/{locationId}/settings', { params, body: wanted })))
  }
  const isSaved = JSON.stringify(wanted) === JSON.stringify(saved)
  return (
    <section aria-labelledby="settings" class="card">
      <h2 id="settings">{say('settings.title')}</h2>
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
        name="holdAfterMinutes"
        most={10_080}
        least={1}
        value={wanted.holdAfterMinutes}
        change={(holdAfterMinutes) => change({ holdAfterMinutes })}
      />
      <NumberField
        name="historyDays"
        most={90}
        least={0}
        value={wanted.historyDays}
        change={(historyDays) => change({ historyDays })}
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
        <Button isDisabled={isSaved} act={save}>
          {say('save')}
        </Button>
        <span role="status" class="muted">
          {isSaved ? say('settings.saved') : ''}
        </span>
      </div>
    </section>
  )
}

interface NumberFieldProps {
  readonly name: 'holdAfterMinutes' | 'historyDays'
  readonly least: number
  readonly most: number
  readonly value: number
  change(value: number): void
}

function NumberField({ name, least, most, value, change }: NumberFieldProps) {
  const { say } = useWords()
  return (
    <label class="field">
      <strong>{say(`settings.${name}`)}</strong>
      <span class="muted">{say(`settings.${name}.why`)}</span>
      <input
        type="number"
        inputMode="numeric"
        min={least}
        max={most}
        value={value}
        onChange={({ currentTarget: { valueAsNumber } }) => {
          if (Number.isInteger(valueAsNumber)) change(Math.min(most, Math.max(least, valueAsNumber)))
        }}
      />
    </label>
  )
}
