/** Today and the charts, over all locations or of one. */
import { got } from '../api/client.ts'
import { OpenCharts } from '../charts/charts.tsx'
import { Today } from '../location/today.tsx'
import { ZoneContext } from '../parts/times.ts'
import { useWords } from '../words/spoken.tsx'
import { Shown } from './parts.tsx'
import { PlaceFilter } from './place-choice.tsx'
import { ZoneNote } from './times.tsx'
import { useConsole, useLoaded } from './use-console.ts'

const DAY_MS = 24 * 60 * 60_000
/** Figures of everybody cost the store something: they are not counted anew with every message. */
const REST_MS = 15_000

export function Figures({ locationId }: { locationId?: string }) {
  const { say } = useWords()
  return (
    <section aria-labelledby="figures" class="stack">
      <div class="section-head">
        <h2 id="figures">{say('console.place.figures')}</h2>
        <PlaceFilter place="figures" locationId={locationId} />
      </div>
      {locationId === undefined ? <OfAll /> : <OfOne locationId={locationId} />}
    </section>
  )
}

function OfAll() {
  const { api } = useConsole()
  const today = useLoaded(
    () => {
      const midnight = new Date().setHours(0, 0, 0, 0)
      const query = { from: new Date(midnight).toISOString(), to: new Date(midnight + DAY_MS).toISOString() }
      return got(api.GET('/api/stats', { params: { query } }))
    },
    [api],
    ['messages'],
    REST_MS,
  )
  return (
    <>
      <ZoneNote />
      <Shown of={today} isEmpty={() => false} empty="">
        {(ledger) => <Today ledger={ledger} />}
      </Shown>
      <div class="card charts">
        <OpenCharts api={api} sessions={[]} moved={today.data} />
      </div>
    </>
  )
}

/** Its day is that of its own clock, as its people see it. */
function OfOne({ locationId }: { locationId: string }) {
  const { api } = useConsole()
  const path = { locationId }
  const today = useLoaded(
    () => got(api.GET('/api/ledger/{locationId}', { params: { path } })),
    [api, locationId],
    ['messages'],
    REST_MS,
  )
  const numbers = useLoaded(
    () => got(api.GET('/ghl/location/{locationId}/session', { params: { path } })),
    [api, locationId],
    ['numbers'],
  )
  return (
    <ZoneContext.Provider value={today.data?.timeZone}>
      {today.data !== undefined && <ZoneNote />}
      <Shown of={today} isEmpty={() => false} empty="">
        {(ledger) => <Today ledger={ledger} />}
      </Shown>
      <div class="card charts">
        <OpenCharts
          api={api}
          locationId={locationId}
          sessions={numbers.data?.sessions ?? []}
          moved={today.data}
        />
      </div>
    </ZoneContext.Provider>
  )
}
