/** One location at a glance: its numbers, today's mail, what waits for a person, settings. */
import type { Login } from '../api/client.ts'
import { Charts } from '../charts/charts.tsx'
import { Frame } from '../parts/frame.tsx'
import { ZoneContext } from '../parts/times.ts'
import { useWords } from '../words/spoken.tsx'
import { Mailbox } from './mailbox.tsx'
import { Numbers } from './numbers.tsx'
import { SettingsForm } from './settings-form.tsx'
import { Today } from './today.tsx'
import { useLocation } from './use-location.ts'

export interface LocationViewProps {
  readonly locationId: string
  readonly login: Login
  /** Others may look, not touch; the server holds to that, the page only does not offer it. */
  readonly isAdmin: boolean
  readonly title?: string
}

export function LocationView({ locationId, login, isAdmin, title }: LocationViewProps) {
  const { say } = useWords()
  const { api, link, sessions, mail, look } = useLocation(locationId, login)
  const shared = { api, locationId, isAdmin }
  return (
    <ZoneContext.Provider value={mail?.today.timeZone}>
      <Frame title={title ?? say('location.title')} link={link}>
        <div class="stack">
          <Numbers {...shared} sessions={sessions} login={login} />
          <Today ledger={mail?.today} />
          <Mailbox {...shared} mail={mail} sessions={sessions ?? []} look={look} />
          <Charts api={api} locationId={locationId} sessions={sessions ?? []} />
          {isAdmin && sessions !== undefined && <SettingsForm {...shared} sessions={sessions} />}
        </div>
      </Frame>
    </ZoneContext.Provider>
  )
}
