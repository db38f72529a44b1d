import type { Ledger } from '../api/client.ts'
import { failureWords } from '../parts/problem-words.ts'
import { useWords } from '../words/spoken.tsx'
import type { Word } from '../words/words.ts'

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
          <div class="ledger">
            <Flow
              title="today.inbound"
              steps={[
                ['today.received', ledger.inbound.received],
                ['today.inGhl', ledger.inbound.inGhl],
              ]}
              rest={[
                ['today.waiting', ledger.inbound.waiting],
                ['today.failed', ledger.inbound.failed],
                ['today.discarded', ledger.inbound.discarded],
              ]}
            />
            <Flow
              title="today.outbound"
              steps={[
                ['today.accepted', ledger.outbound.accepted],
                ['today.sent', ledger.outbound.sent],
                ['today.delivered', ledger.outbound.delivered],
                ['today.read', ledger.outbound.read],
              ]}
              rest={[
                ['today.waiting', ledger.outbound.waiting],
                ['today.held', ledger.outbound.held],
                ['today.failed', ledger.outbound.failed],
                ['today.discarded', ledger.outbound.discarded],
              ]}
            />
          </div>
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

type Figures = readonly (readonly [Word, number])[]

/** A funnel in words and bars: each step beside how much of the first it is. */
function Flow({ title, steps, rest }: { title: Word; steps: Figures; rest: Figures }) {
  const { say } = useWords()
  const all = steps[0]?.[1] ?? 0
  return (
    <div>
      <h3>{say(title)}</h3>
      <dl class="funnel">
        {[...steps, ...rest.filter(([, figure]) => figure > 0)].map(([word, figure], index) => (
          <div key={word} class={index < steps.length ? '' : 'rest'}>
            <dt>{say(word)}</dt>
            <dd>
              <meter min={0} max={Math.max(1, all)} value={figure} aria-hidden="true" />
              <span>{figure}</span>
            </dd>
          </div>
        ))}
      </dl>
    </div>
  )
}
