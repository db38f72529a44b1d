/** Today and the charts, over all locations. */
import { got } from '../api/client.ts'
import { OpenCharts } from '../charts/charts.tsx'
import { Today } from '../location/today.tsx'
import { Shown } from './parts.tsx'
import { ZoneNote } from './times.tsx'
import { useConsole, useLoaded } from './use-console.ts'

const DAY_MS = 24 * 60 * 60_000
/** Figures of everybody cost the store something: they are not counted anew with every message. */
const REST_MS = 15_000

export function Figures() {
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
    <div class="stack">
      <ZoneNote />
      <Shown of={today} isEmpty={() => false} empty="">
        {(ledger) => <Today ledger={ledger} />}
      </Shown>
      <div class="card charts">
        <OpenCharts api={api} sessions={[]} moved={today.data} />
      </div>
    </div>
  )
}
