/**
 * GHL's own OpenAPI files as a judge of exchanges. Objects are closed: a property that the files do not name is a
 * finding, although OpenAPI would let it pass. References are made absolute while loading, so that a schema can be
 * compiled from anywhere.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import formats from 'ajv-formats'
import { z } from 'zod'
import type { Exchange } from '../../sandbox/ghl/exchanges.ts'

const BASE = 'https://ghl.invalid'

const schemaNode = z.record(z.string(), z.unknown())
type SchemaNode = z.infer<typeof schemaNode>

const content = z.record(z.string(), z.object({ schema: schemaNode.optional() }))
const operation = z.object({
  parameters: z
    .array(
      z.object({
        name: z.string(),
        in: z.string(),
        required: z.boolean().optional(),
        schema: schemaNode.optional(),
      }),
    )
    .default([]),
  requestBody: z.object({ content }).optional(),
  responses: z.record(z.string(), z.object({ content: content.optional() })),
})
type Operation = z.infer<typeof operation>
const document = z.object({
  paths: z.record(z.string(), z.record(z.string(), z.unknown())).default({}),
  components: z.object({ schemas: z.record(z.string(), schemaNode).default({}) }).optional(),
})

export interface PublishedApi {
  /** What in the exchange is not as published, in stable words. */
  findings(exchange: Exchange): string[]
}

/** @param folder Laid out as upstream: `apps/*.json` beside `common/common-schemas.json`. */
export function loadPublishedApi(folder: string): PublishedApi {
  const options = { strict: false, validateSchema: false, allErrors: true } as const
  const json = formats.default(new Ajv(options))
  // Query strings and forms carry text; what it stands for is in the schema.
  const text = formats.default(new Ajv({ ...options, coerceTypes: 'array' }))
  const operations = new Map<string, { path: string; operation: Operation }>()
  const apps = readdirSync(join(folder, 'apps')).filter((name) => name.endsWith('.json'))
  for (const file of ['common/common-schemas.json', ...apps.map((name) => `apps/${name}`)]) {
    const parsed = document.parse(JSON.parse(readFileSync(join(folder, file), 'utf8')))
    const uri = `${BASE}/${file}`
    const schemas = parsed.components?.schemas ?? {}
    const closed = Object.fromEntries(
      Object.entries(schemas).map(([name, schema]) => [name, prepared(schema, uri)]),
    )
    for (const ajv of [json, text]) ajv.addSchema({ components: { schemas: closed } }, uri)
    for (const [path, methods] of Object.entries(parsed.paths)) {
      for (const [method, described] of Object.entries(methods)) {
        operations.set(keyOf(method, path), { path, operation: bound(operation.parse(described), uri) })
      }
    }
  }
  const judge = createJudge(json, text)
  return {
    findings(exchange) {
      const found = operations.get(keyOf(exchange.method, exchange.path))
      if (!found) return [`${exchange.method} ${exchange.path}: the endpoint is not published`]
      const sentences = judge(exchange, found.operation)
      return sentences.map((sentence) => `${exchange.method} ${found.path} ${sentence}`)
    },
  }
}

/** Parameter names differ between the files and the sandbox; their places do not. */
function keyOf(method: string, path: string): string {
  return `${method.toUpperCase()} ${path.replaceAll(/\{[^}]+\}|:[^/]+/g, '{}')}`
}

type Judge = (exchange: Exchange, operation: Operation) => string[]

function createJudge(json: Ajv, text: Ajv): Judge {
  const compiled = new WeakMap<SchemaNode, ValidateFunction>()
  const errorsOf = (ajv: Ajv, schema: SchemaNode, value: unknown): string[] => {
    const validate = compiled.get(schema) ?? ajv.compile(schema)
    compiled.set(schema, validate)
    // Coercion writes into what it checks.
    validate(structuredClone(value))
    return (validate.errors ?? []).map(sentenceFor)
  }
  const requestFindings: Judge = ({ query, body, contentType }, described) => {
    const queryErrors = errorsOf(text, querySchema(described), query).map((each) => `query: ${each}`)
    if (body === undefined || !described.requestBody) return queryErrors
    const media = described.requestBody.content[contentType ?? '']
    if (!media) return [...queryErrors, `body: ${String(contentType)} is not published`]
    const ajv = contentType === 'application/json' ? json : text
    const bodyErrors = media.schema ? errorsOf(ajv, media.schema, body) : []
    return [...queryErrors, ...bodyErrors.map((each) => `body: ${each}`)]
  }
  const answerFindings: Judge = ({ status, answer }, { responses }) => {
    const isFine = status < 300
    const published = responses[String(status)]
    const likely = published ?? (isFine ? firstFine(responses) : undefined)
    const schema = likely?.content?.['application/json']?.schema
    const where = isFine ? 'answer' : `answer ${status}`
    return [
      ...(published ? [] : [`answer ${status}: the status is not published`]),
      ...(schema ? errorsOf(json, schema, answer).map((each) => `${where}: ${each}`) : []),
    ]
  }
  return (exchange, described) => [
    // What was refused need not be right.
    ...(exchange.status < 300 ? requestFindings(exchange, described) : []),
    ...answerFindings(exchange, described),
  ]
}

function firstFine(responses: Operation['responses']) {
  return Object.entries(responses).find(([status]) => status.startsWith('2'))?.[1]
}

const querySchemas = new WeakMap<Operation, SchemaNode>()

function querySchema(described: Operation): SchemaNode {
  const known = querySchemas.get(described)
  if (known) return known
  const parameters = described.parameters.filter((parameter) => parameter.in === 'query')
  const schema = {
    type: 'object',
    properties: Object.fromEntries(parameters.map(({ name, schema }) => [name, schema ?? {}])),
    required: parameters.filter(({ required }) => required).map(({ name }) => name),
    additionalProperties: false,
  }
  querySchemas.set(described, schema)
  return schema
}

function sentenceFor(error: ErrorObject): string {
  const at = error.instancePath.replaceAll(/\/\d+(?=\/|$)/g, '/*')
  const params: Record<string, unknown> = error.params
  switch (error.keyword) {
    case 'additionalProperties':
      return `${at}/${String(params['additionalProperty'])} is not published`
    case 'required':
      return `${at}/${String(params['missingProperty'])} is missing`
    case 'type':
      return `${at || '/'} is not of the type ${String(params['type'])}`
    case 'enum':
      return `${at || '/'} is not one of the published values`
    default:
      return `${at || '/'} does not hold to ${error.keyword}`
  }
}

function bound(described: Operation, uri: string): Operation {
  const mediaWith = (media: z.infer<typeof content>) =>
    Object.fromEntries(
      Object.entries(media).map(([type, { schema }]) => [
        type,
        schema ? { schema: prepared(schema, uri) } : {},
      ]),
    )
  return {
    parameters: described.parameters.map((parameter) => ({
      ...parameter,
      ...(parameter.schema ? { schema: prepared(parameter.schema, uri) } : {}),
    })),
    ...(described.requestBody ? { requestBody: { content: mediaWith(described.requestBody.content) } } : {}),
    responses: Object.fromEntries(
      Object.entries(described.responses).map(([status, response]) => [
        status,
        response.content ? { content: mediaWith(response.content) } : {},
      ]),
    ),
  }
}

/** Other words, such as `any`, are in the files too, and say nothing. */
const JSON_TYPES = new Set(['array', 'boolean', 'integer', 'null', 'number', 'object', 'string'])

/** A copy with absolute references, and closed where it lists properties. */
function prepared(schema: SchemaNode, uri: string): SchemaNode {
  const inside = (value: unknown): unknown => {
    const node = schemaNode.safeParse(value)
    return node.success && !Array.isArray(value) ? prepared(node.data, uri) : value
  }
  const copy: SchemaNode = { ...schema }
  if (!JSON_TYPES.has(String(copy['type']))) delete copy['type']
  if (typeof copy['$ref'] === 'string') copy['$ref'] = new URL(copy['$ref'], uri).href
  for (const keyword of ['items', 'additionalProperties', 'not']) {
    if (keyword in copy) copy[keyword] = inside(copy[keyword])
  }
  for (const keyword of ['allOf', 'anyOf', 'oneOf']) {
    const branches = copy[keyword]
    if (Array.isArray(branches)) copy[keyword] = branches.map(inside)
  }
  const properties = schemaNode.safeParse(copy['properties']).data ?? {}
  const names = Object.keys(properties)
  if (names.length > 0) {
    copy['properties'] = Object.fromEntries(names.map((name) => [name, inside(properties[name])]))
    copy['additionalProperties'] ??= false
  }
  return copy
}
