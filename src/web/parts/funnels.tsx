/** What came each way, and what became of it. */
import type { Ledger } from '../api/client.ts'
import { useWords } from '../words/spoken.tsx'
import type { Word } from '../words/words.ts'

export function Funnels({ inbound, outbound }: Pick<Ledger, 'inbound' | 'outbound'>) {
  return (
    <div class="ledger">
      <Flow
        title="today.inbound"
        steps={[
          ['today.received', inbound.received],
          ['today.inGhl', inbound.inGhl],
        ]}
        rest={[
          ['today.waiting', inbound.waiting],
          ['today.failed', inbound.failed],
          ['today.discarded', inbound.discarded],
        ]}
      />
      <Flow
        title="today.outbound"
        steps={[
          ['today.accepted', outbound.accepted],
          ['today.sent', outbound.sent],
          ['today.delivered', outbound.delivered],
          ['today.read', outbound.read],
        ]}
        rest={[
          ['today.waiting', outbound.waiting],
          ['today.held', outbound.held],
          ['today.failed', outbound.failed],
          ['today.discarded', outbound.discarded],
        ]}
      />
    </div>
  )
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
