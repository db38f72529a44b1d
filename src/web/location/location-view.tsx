/** One location at a glance: its numbers, today's mail, what waits for a person, settings. */
import type { Login } from '../api/client.ts'
import { Charts } from '../charts/charts.tsx'
import { Frame } from '../parts/frame.tsx'
import { problemWords } from '../parts/problem-words.ts'
import { ZoneContext, zoneOf } from '../parts/times.ts'
import { ZoneNote } from '../parts/zone-note.tsx'
import { useWords } from '../words/spoken.tsx'
import { Mailbox, Needed } from './mailbox.tsx'
import { Numbers } from './numbers.tsx'
import { Refused } from './refused.tsx'
import { SettingsForm } from './settings-form.tsx'
import { Today } from './today.tsx'
import { type Place, useLocation } from './use-location.ts'

export interface LocationViewProps {
  readonly locationId: string
  readonly login: Login
  /** Others may look, not touch; the server holds to that, the page only does not offer it. */
  readonly isAdmin: boolean
  readonly title?: string
}

export function LocationView({ locationId, login, isAdmin, title }: LocationViewProps) {
  const { say } = useWords()
  const { api, link, refusal, place, sessions, mail, mailRefusal, again, look } = useLocation(
    locationId,
    login,
  )
  const shared = { api, locationId, isAdmin }
  const letters = { ...shared, mail, sessions: sessions ?? [], look }
  const heading = title ?? say('location.title')
  if (refusal !== undefined)
    return (
      <Frame title={heading}>
        <Refused refusal={refusal} again={again} />
      </Frame>
    )
  // A location that has nothing yet has one thing to do, not four cards of zeros.
  const isNew = sessions?.length === 0 && mail?.latest.messages.length === 0 && mail.today.open.needed === 0
  const timeZone = mail?.today.timeZone ?? (place === undefined ? undefined : zoneOf(place))
  return (
    <ZoneContext.Provider value={timeZone}>
      <Frame title={heading} link={link}>
        <div class="stack">
          <ZoneNote isForeignOnly />
          {place?.problem != null && <Reconnect place={place} isAdmin={isAdmin} />}
          <Numbers {...shared} sessions={sessions} login={login} />
          {!isNew && (
            <>
              <Needed {...letters} />
              <Today ledger={mail?.today} refusal={mailRefusal} />
              <Mailbox {...letters} />
              <Charts api={api} locationId={locationId} sessions={sessions ?? []} moved={mail} />
            </>
          )}
          {isAdmin && sessions !== undefined && <SettingsForm {...shared} sessions={sessions} />}
        </div>
      </Frame>
    </ZoneContext.Provider>
  )
}

/** The app's own access to GHL is gone: nothing moves until somebody gives it back. */
function Reconnect({ place: { problem, reconnectUrl }, isAdmin }: { place: Place; isAdmin: boolean }) {
  const { say, find } = useWords()
  if (problem === null) return null
  const { message, action } = problemWords(problem, find)
  return (
    <div class="problem" role="alert">
      <p>
        {message} {action}
      </p>
      {reconnectUrl !== null &&
        (isAdmin ? (
          // GHL lets nobody log in inside a frame.
          <a class="as-button main" href={reconnectUrl} target="_blank" rel="noreferrer">
            {say('reconnect')}
          </a>
        ) : (
          <p>{say('admin.only')}</p>
        ))}
    </div>
  )
}
