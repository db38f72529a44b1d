import { useEffect, useState } from 'preact/hooks'
import { type Api, got, type History, type Session } from '../api/client.ts'
import { useWords } from '../words/spoken.tsx'

const LOOK_MS = 4_000
/** A number that was paired a moment ago may have its import begun after the first look. */
const MOST_LOOKS_FOR_NONE = 8

/** How far the import of a number's past has come; nothing while there is none. */
export function HistoryBar({ api, session }: { api: Api; session: Session }) {
  const { say, count } = useWords()
  const [history, setHistory] = useState<History>()
  const path = { locationId: session.locationId, id: session.id }
  useEffect(() => {
    if (session.status !== 'ready') return undefined
    let looks = 0
    const look = async (): Promise<void> => {
      const found = await got(
        api.GET('/ghl/location/{locationId}/session/{id}/history', { params: { path } }),
      )
      setHistory(found)
      looks += 1
      const isNone = found.state === 'none' && looks >= MOST_LOOKS_FOR_NONE
      if (isNone || found.state === 'done') clearInterval(timer)
    }
    const quietly = () => void look().catch(() => undefined)
    const timer = setInterval(quietly, LOOK_MS)
    quietly()
    return () => {
      clearInterval(timer)
    }
  }, [api, session.id, session.status])
  if (history === undefined || history.state === 'none') return null
  const { found, imported, failed } = history
  if (history.state === 'done')
    return found === 0 ? null : (
      <p class="muted small">
        {count('history.done', imported)} {failed > 0 && count('history.failed', failed)}
      </p>
    )
  return (
    <div class="history">
      <label>
        {say(history.state === 'collecting' ? 'history.collecting' : 'history.importing', {
          done: imported + failed,
          found,
        })}
        <progress max={Math.max(1, found)} value={imported + failed} />
      </label>
    </div>
  )
}
