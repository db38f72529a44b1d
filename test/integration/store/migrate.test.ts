import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Migration, migrate, readMigrations, type SqlSession } from '../../../src/store/migrate.ts'
import { dumpSchema } from '../../support/dump-schema.ts'
import { freshDatabase, type TestDatabase } from '../../support/postgres.ts'

describe('migrations', () => {
  const targets: TestDatabase[] = []
  const clients: pg.Client[] = []
  const connect = async (url: string) => {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    clients.push(client)
    return client
  }
  const emptyDatabase = async () => {
    const target = await freshDatabase('empty')
    targets.push(target)
    return target.url
  }
  const sessionOf = (client: pg.Client): SqlSession => ({
    exec: (sql) => client.query(sql),
    query: async (sql, params) => (await client.query<object>(sql, params && [...params])).rows,
  })
  let migrations: readonly Migration[]
  beforeAll(async () => {
    migrations = await readMigrations()
  })
  afterAll(async () => {
    await Promise.all(clients.map((client) => client.end()))
    await Promise.all(targets.map((target) => target.drop()))
  })

  it('bring an empty database to exactly sql/schema.sql, and do nothing the second time', async () => {
    const client = await connect(await emptyDatabase())
    const applied = await migrate(sessionOf(client), migrations)
    expect(applied).toEqual(migrations.map((each) => each.name))
    const dump = () => dumpSchema(async (sql) => (await client.query<{ line: string }>(sql)).rows)
    const schema = await dump()
    await expect(schema).toMatchFileSnapshot('../../../sql/schema.sql')
    expect(await migrate(sessionOf(client), migrations)).toEqual([])
    // Pasted again by hand, each statement is safe to repeat.
    for (const { sql } of migrations) await client.query(sql)
    expect(await dump()).toBe(schema)
  })

  it('say in their first line what they are, why, and which program they need', () => {
    for (const { sql, name } of migrations)
      expect(sql).toMatch(new RegExp(`^-- ${name.slice(0, 4)} .+ Why: .+ Oldest program: \\d+\\.\\n`))
  })

  it('can be run by ten programs at once', async () => {
    const url = await emptyDatabase()
    const ten = await Promise.all(Array.from({ length: 10 }, () => connect(url)))
    const applied = await Promise.all(ten.map((client) => migrate(sessionOf(client), migrations)))
    expect(applied.flat().sort()).toEqual(migrations.map((each) => each.name))
  })

  it('leave nothing of a file that fails, and keep what was applied before', async () => {
    const client = await connect(await emptyDatabase())
    const broken = {
      version: 2,
      name: '0002_broken',
      checksum: 'x',
      sql: 'create table bridge.half (); select 1/0;',
    }
    const [first] = migrations
    if (first === undefined) throw new Error('a first file')
    const running = migrate(sessionOf(client), [first, broken])
    await expect(running).rejects.toMatchObject({
      code: 'STORE_SCHEMA',
      message: expect.stringContaining('0002_broken') as string,
    })
    const { rows } = await client.query<{ half: string | null; versions: number }>(
      `select to_regclass('bridge.half') as half, (select count(*)::int from bridge.schema_versions) as versions`,
    )
    expect(rows).toEqual([{ half: null, versions: 1 }])
  })

  it('are refused when a file was edited after it was applied', async () => {
    const client = await connect(await emptyDatabase())
    await migrate(sessionOf(client), migrations)
    const edited = migrations.map((each) => (each.version === 3 ? { ...each, checksum: 'other' } : each))
    await expect(migrate(sessionOf(client), edited)).rejects.toMatchObject({
      code: 'STORE_SCHEMA',
      message: expect.stringContaining('0003_sessions') as string,
    })
  })

  it('accept files that were pasted, and guard them from then on', async () => {
    const client = await connect(await emptyDatabase())
    for (const { sql } of migrations) await client.query(sql)
    expect(await migrate(sessionOf(client), migrations)).toEqual([])
    const { rows } = await client.query<{ checksum: string }>(
      'select checksum from bridge.schema_versions order by version',
    )
    expect(rows.map((row) => row.checksum)).toEqual(migrations.map((each) => each.checksum))
  })

  it('let an older program run on a newer schema unless that needs a newer program', async () => {
    const client = await connect(await emptyDatabase())
    await migrate(sessionOf(client), migrations)
    const insert = `insert into bridge.schema_versions (version, name, oldest_program) values`
    await client.query(`${insert} (900, '0900_added', 1)`)
    expect(await migrate(sessionOf(client), migrations)).toEqual([])
    await client.query(`${insert} (901, '0901_changed', 901)`)
    await expect(migrate(sessionOf(client), migrations)).rejects.toMatchObject({ code: 'STORE_SCHEMA' })
  })
})
