const FILES = import.meta.glob<string>('../../../../examples/*.yaml', { query: '?raw', import: 'default', eager: true })

/** The scenario files that are shipped, one for each flow. */
export const EXAMPLES: readonly { name: string; text: string }[] = Object.entries(FILES).map(([path, text]) => ({
  name: path.slice(path.lastIndexOf('/') + 1),
  text,
}))
