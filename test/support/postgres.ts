import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { inject } from 'vitest'
import { databaseAt, TEMPLATE_DATABASE } from './start-postgres.ts'

export interface TestDatabase {
  readonly url: string
  /** Ends every connection to it and removes it. */
  drop(): Promise<void>
}

/** A database of one's own on the shared server: migrated, or `empty`. */
export async function freshDatabase(content: 'migrated' | 'empty' = 'migrated'): Promise<TestDatabase> {
  const answer = await fetch(`${inject('fixturesUrl')}/postgres`)
  if (!answer.ok) throw new Error(`no Postgres: ${await answer.text()}`)
  const { url } = (await answer.json()) as { url: string } // global-setup.ts says so
  const name = `test_${randomUUID().replaceAll('-', '')}`
  const template = content === 'migrated' ? TEMPLATE_DATABASE : 'template0'
  await runOnce(url, `create database ${name} template ${template}`)
  return {
    url: databaseAt(url, name),
    drop: () => runOnce(url, `drop database if exists ${name} with (force)`),
  }
}

async function runOnce(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}
