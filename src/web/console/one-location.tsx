/** One location as its own people see it, and above that what only the operator sees: its installation. */
import { useState } from 'preact/hooks'
import { got } from '../api/client.ts'
import { Charts } from '../charts/charts.tsx'
import { Mailbox, Needed } from '../location/mailbox.tsx'
import { Numbers } from '../location/numbers.tsx'
import { Refused } from '../location/refused.tsx'
import { SettingsForm } from '../location/settings-form.tsx'
import { Today } from '../location/today.tsx'
import { useLocation } from '../location/use-location.ts'
import { Button } from '../parts/button.tsx'
import { Dialog } from '../parts/dialog.tsx'
import { Offline } from '../parts/frame.tsx'
import { problemWords } from '../parts/problem-words.ts'
import { ZoneContext, zoneOf } from '../parts/times.ts'
import { useWords } from '../words/spoken.tsx'
import { TokenHealth } from './location-state.tsx'
import { Shown } from './parts.tsx'
import { linkTo, type Place } from './routes.ts'
import type { Location } from './shapes.ts'
import { useNamedClock, ZoneNote } from './times.tsx'
import { useConsole, useLoaded } from './use-console.ts'

/** What else there is about one location. */
const ELSEWHERE = ['messages', 'figures', 'syncs', 'events', 'audit'] as const satisfies readonly Place[]

export function OneLocation({ locationId }: { locationId: string }) {
  const { say } = useWords()
  const { api } = useConsole()
  const found = useLoaded(
    () => got(api.GET('/api/ghl/locations', { params: { query: { locationId } } })),
    [api, locationId],
    ['all'],
  )
  return (
    <div class="stack">
      <a href={linkTo('locations')}>← {say('console.place.locations')}</a>
      <Shown
        of={found}
        isEmpty={({ locations }) => locations.length === 0}
        empty={<p>{say('wall.notFound')}</p>}
      >
        {({ locations }) =>
          locations.map((location) => (
            <ZoneContext.Provider key={location.locationId} value={zoneOf(location)}>
              <div class="stack">
                <ZoneNote />
                <Installation location={location} look={found.reload} />
                {location.status !== 'uninstalled' && <AsItsPeople locationId={location.locationId} />}
              </div>
            </ZoneContext.Provider>
          ))
        }
      </Shown>
    </div>
  )
}

function Installation({ location, look }: { location: Location; look(): Promise<void> }) {
  const { say, find } = useWords()
  const clock = useNamedClock()
  const { api } = useConsole()
  const problem = location.problem === null ? undefined : problemWords(location.problem, find)
  const path = { installationId: location.installationId }
  const [isLeaving, setLeaving] = useState(false)
  const isServed = location.status !== 'uninstalled' && !location.deactivated
  const done = async (asked: Promise<unknown>): Promise<void> => {
    try {
      await asked
    } finally {
      await look()
    }
  }
  return (
    <section class="card" aria-labelledby="installation">
      <div class="section-head">
        <h2 id="installation">{location.name ?? location.locationId}</h2>
        <TokenHealth health={location.tokenHealth} />
      </div>
      {problem !== undefined && (
        <p class="problem">
          {problem.message} {problem.action}
        </p>
      )}
      <dl class="facts">
        <Fact name={say('one.location')} value={location.locationId} />
        {location.companyId !== null && (
          <Fact name={say('one.agency')} value={location.companyName ?? location.companyId} />
        )}
        <Fact name={say('one.installed')} value={clock(location.installedAt)} />
        <Fact name={say('one.tokenUntil')} value={clock(location.tokenExpiresAt)} />
        {location.versionId !== null && <Fact name={say('one.version')} value={location.versionId} />}
      </dl>
      <p class="small">
        {ELSEWHERE.map((place, index) => (
          <span key={place}>
            {index > 0 && ' · '}
            <a href={linkTo(place, location.locationId)}>{say(`console.place.${place}`)}</a>
          </span>
        ))}
      </p>
      <div class="actions">
        {location.reconnectUrl !== null && !location.deactivated && (
          <a class="as-button main" href={location.reconnectUrl} target="_blank" rel="noreferrer">
            {say('one.reconnect')}
          </a>
        )}
        {isServed && (
          <Button
            kind={location.problem !== null && location.reconnectUrl === null ? 'main' : 'plain'}
            act={() => done(got(api.POST('/api/ghl/tokens/{installationId}/refresh', { params: { path } })))}
          >
            {say('one.refresh')}
          </Button>
        )}
        {isServed && (
          <Button kind="quiet" act={async () => setLeaving(true)}>
            {say('one.deactivate')}
          </Button>
        )}
        {location.deactivated && (
          <Button
            act={() => done(got(api.POST('/api/ghl/tokens/{installationId}/activate', { params: { path } })))}
          >
            {say('one.activate')}
          </Button>
        )}
      </div>
      {isLeaving && (
        <Dialog title={say('one.deactivate')} close={() => setLeaving(false)}>
          <p>{say('one.deactivate.sure', { name: location.name ?? location.locationId })}</p>
          <Button
            kind="danger"
            act={async () => {
              await done(got(api.POST('/api/ghl/tokens/{installationId}/deactivate', { params: { path } })))
              setLeaving(false)
            }}
          >
            {say('one.deactivate.yes')}
          </Button>
        </Dialog>
      )}
    </section>
  )
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  )
}

function AsItsPeople({ locationId }: { locationId: string }) {
  const { login, link: ownLink } = useConsole()
  const { api, link, refusal, sessions, mail, mailRefusal, again, look } = useLocation(locationId, login)
  const shared = { api, locationId, isAdmin: true }
  const letters = { ...shared, mail, sessions: sessions ?? [], look }
  if (refusal !== undefined) return <Refused refusal={refusal} again={again} />
  return (
    <>
      {/* When the console's own stream is gone, too, its frame says so. */}
      <Offline link={ownLink === 'lost' ? 'live' : link} />
      <Numbers {...shared} sessions={sessions} login={login} />
      <Needed {...letters} />
      <Today ledger={mail?.today} refusal={mailRefusal} />
      <Mailbox {...letters} />
      <Charts api={api} locationId={locationId} sessions={sessions ?? []} moved={mail} />
      {sessions !== undefined && <SettingsForm {...shared} sessions={sessions} />}
    </>
  )
}
