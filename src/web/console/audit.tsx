/** Who did what. */
import { got } from '../api/client.ts'
import { clockOf } from '../parts/times.ts'
import { useWords } from '../words/spoken.tsx'
import { Pages, Shown, useCursors } from './parts.tsx'
import { linkTo } from './routes.ts'
import type { AuditEntry } from './shapes.ts'
import { useConsole, useLoaded } from './use-console.ts'

export function Audit() {
  const { say } = useWords()
  const { api } = useConsole()
  const cursors = useCursors()
  const { cursor } = cursors
  const page = useLoaded(
    () => got(api.GET('/api/audit', { params: { query: cursor === undefined ? {} : { cursor } } })),
    [api, cursor],
    ['all'],
  )
  return (
    <section aria-labelledby="audit">
      <div class="section-head">
        <h2 id="audit">{say('console.place.audit')}</h2>
      </div>
      <Shown of={page} isEmpty={({ entries }) => entries.length === 0} empty={<p>{say('audit.none')}</p>}>
        {({ entries, nextCursor }) => (
          <>
            <ul class="rows">
              {entries.map((entry, index) => (
                <li key={`${entry.at} ${index}`}>
                  <Line entry={entry} />
                </li>
              ))}
            </ul>
            <Pages cursors={cursors} next={nextCursor} />
          </>
        )}
      </Shown>
    </section>
  )
}

function Line({ entry }: { entry: AuditEntry }) {
  const { say, language } = useWords()
  const isGood = entry.outcome.startsWith('2')
  return (
    <>
      <div class="row-head">
        <code>{entry.action}</code>
        <span class={`state ${isGood ? 'good' : 'bad'}`}>{entry.outcome}</span>
        <time class="muted" dateTime={entry.at}>
          {clockOf(entry.at, language)}
        </time>
      </div>
      <p class="muted small">
        {say(`caller.${entry.caller.kind}`)} {entry.caller.id}
        {entry.locationId !== null && (
          <>
            {' · '}
            <a href={linkTo('locations', entry.locationId)}>{entry.locationId}</a>
          </>
        )}
        {entry.target !== null && ` · ${entry.target}`}
      </p>
    </>
  )
}
