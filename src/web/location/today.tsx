import type { Ledger } from '../api/client.ts'
import { Funnels } from '../parts/funnels.tsx'
import { failureWords } from '../parts/problem-words.ts'
import { useWords } from '../words/spoken.tsx'

/** `open`: what waits for a person or its delivery, of whatever day it is; without it only the day's own is known. */
type Figured = Pick<Ledger, 'inbound' | 'outbound'> & {
  readonly open?: { readonly needed: number; readonly waiting: number }
}

export interface TodayProps {
  readonly ledger: Figured | undefined
  /** Why the ledger is not there, or older than now. */
  readonly refusal?: unknown
}

/** Today's ledger: what came, and what became of it. */
export function Today({ ledger, refusal }: TodayProps) {
  const { say, find } = useWords()
  return (
    <section aria-labelledby="today" class="card">
      <h2 id="today">{say('today.title')}</h2>
      {refusal !== undefined && (
        <p class="problem" role="alert">
          {failureWords(refusal, find)}
        </p>
      )}
      {ledger === undefined ? (
        refusal === undefined && <p class="muted">{say('pair.title.wait')}</p>
      ) : (
        <>
          <Verdict {...ledger} />
          <Funnels {...ledger} />
        </>
      )}
    </section>
  )
}

/** The day in one line, and in one colour. */
function Verdict({ inbound, outbound, open }: Figured) {
  const { say, count } = useWords()
  const needed = open?.needed ?? inbound.failed + outbound.failed + outbound.held
  const waiting = open?.waiting ?? inbound.waiting + outbound.waiting
  const all = inbound.received + outbound.accepted
  if (needed > 0) return <p class="verdict state bad">{count('today.trouble', needed)}</p>
  if (waiting > 0) return <p class="verdict state busy">{count('today.open', waiting)}</p>
  return <p class="verdict state good">{all === 0 ? say('today.none') : count('today.allDone', all)}</p>
}
