/** zod issues in the words of GHL's validator: 422 with a list of sentences about properties. */
import type { z } from 'zod'
import { refuseFields } from './refusal.ts'

type Issue = z.core.$ZodIssue

/** @throws {Refusal} 422, naming every property that is wrong or unknown. */
export function validated<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const result = schema.safeParse(value ?? {})
  if (result.success) return result.data
  const unknown = result.error.issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys' ? issue.keys.map((key) => nameOf([...issue.path, key])) : [],
  )
  throw refuseFields([...new Set(result.error.issues.flatMap(sentencesFor))], unknown)
}

function sentencesFor(issue: Issue): string[] {
  const property = nameOf(issue.path)
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => `property ${nameOf([...issue.path, key])} should not exist`)
    case 'invalid_value':
      return [`${property} must be a valid enum value`, `${property} should not be empty`]
    case 'invalid_type':
      return wrongType(property, issue)
    case 'too_small':
      return issue.origin === 'array'
        ? [
            `${property} must contain at least ${Number(issue.minimum)} elements`,
            `${property} must be an array`,
          ]
        : [`${property} should not be empty`]
    case 'invalid_format':
      return [
        `${property} must be a valid ${issue.format === 'datetime' ? 'ISO 8601 date string' : issue.format}`,
      ]
    case 'custom':
      return [`${property} ${issue.message}`]
    case 'too_big':
    case 'not_multiple_of':
    case 'invalid_union':
    case 'invalid_key':
    case 'invalid_element':
      return [`${property} is not valid`]
  }
}

function wrongType(property: string, issue: z.core.$ZodIssueInvalidType): string[] {
  const article = /^[aeiou]/.test(issue.expected) ? 'an' : 'a'
  const sentence = `${property} must be ${article} ${issue.expected}`
  return issue.message.endsWith('undefined') ? [sentence, `${property} should not be empty`] : [sentence]
}

function nameOf(path: readonly PropertyKey[]): string {
  return path.map(String).join('.')
}
