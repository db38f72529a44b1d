/** Today and the charts, over all locations. */
import { got } from '../api/client.ts'
import { OpenCharts } from '../charts/charts.tsx'
import { Today } from '../location/today.tsx'
import { useConsole, useLoaded } from './use-console.ts'

const DAY_MS = 24 * 60 * 60_000

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
  )
  return (
    <div class="stack">
      <Today ledger={today.data} />
      <div class="card">
        <OpenCharts api={api} sessions={[]} />
      </div>
    </div>
  )
}
