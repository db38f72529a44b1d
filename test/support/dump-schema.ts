/**
 * The schema as the database holds it, as text that is the same on every Postgres from 15 on: tables with columns,
 * constraints and indexes, sequences, functions, comments.
 */
type Query = (sql: string) => Promise<readonly { line: string }[]>

const IN_BRIDGE = `(select oid from pg_namespace where nspname = 'bridge')`

const SECTIONS: readonly (readonly [title: string, sql: string])[] = [
  [
    'Tables',
    `select format(e'%s\\n%s', format('table bridge.%s  -- %s', c.relname, obj_description(c.oid, 'pg_class')),
        (select string_agg(format('  %s %s%s%s%s', a.attname, format_type(a.atttypid, a.atttypmod),
            case when a.attnotnull then ' not null' else '' end,
            case when a.attidentity <> '' then ' generated always as identity'
              when d.adbin is not null then ' default ' || pg_get_expr(d.adbin, d.adrelid) else '' end,
            '  -- ' || col_description(c.oid, a.attnum)), e'\\n' order by a.attnum)
          from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
          where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped))
      || case when c.relrowsecurity then e'\\n  row level security, no policies' else '' end || e'\\n' as line
      from pg_class c where c.relnamespace = ${IN_BRIDGE} and c.relkind = 'r' order by c.relname`,
  ],
  [
    'Constraints',
    `select format('%s: %s %s', r.relname, c.conname, pg_get_constraintdef(c.oid)) as line
      from pg_constraint c join pg_class r on r.oid = c.conrelid
      where c.connamespace = ${IN_BRIDGE} and c.contype <> 'n' order by r.relname, c.conname`,
  ],
  [
    'Indexes',
    `select pg_get_indexdef(i.indexrelid) as line
      from pg_index i join pg_class c on c.oid = i.indexrelid
      where c.relnamespace = ${IN_BRIDGE} and not exists (select from pg_constraint k where k.conindid = i.indexrelid)
      order by c.relname`,
  ],
  [
    'Sequences',
    `select format('sequence bridge.%s', c.relname) as line from pg_class c
      where c.relnamespace = ${IN_BRIDGE} and c.relkind = 'S' order by c.relname`,
  ],
  [
    'Functions',
    `select pg_get_functiondef(p.oid) as line from pg_proc p join pg_namespace n on n.oid = p.pronamespace
      where n.nspname = 'bridge' or (n.nspname = 'public' and p.proname like 'bridge\\_%')
      order by n.nspname, p.proname`,
  ],
]

export async function dumpSchema(query: Query): Promise<string> {
  const parts = ['-- Generated from the migrations by test/integration/store/migrate.test.ts; do not edit.']
  for (const [title, sql] of SECTIONS) {
    const rows = await query(sql)
    parts.push('', `-- ${title}`, '', ...rows.map(({ line }) => line.trimEnd().replaceAll(/[ \t]+$/gm, '')))
  }
  return `${parts.join('\n')}\n`
}
