import { computed, watchEffect } from 'vue'
import { look } from '../state/settings.ts'
import type { Catalog, Key } from './catalog.ts'
import { en } from './en.ts'
import { enCodes } from './en-codes.ts'
import { zh } from './zh.ts'
import { zhCodes } from './zh-codes.ts'
import type { Notice } from '../../shared/notice.ts'

type Params = Record<string, string | number>

const CATALOGS: Record<'en' | 'zh', { texts: Catalog; codes: Record<string, string> }> = {
  en: { texts: en, codes: enCodes },
  zh: { texts: zh, codes: zhCodes },
}

export const locale = computed<'en' | 'zh'>(
  () => look.locale || (navigator.languages.some((tag) => /^zh\b/i.test(tag)) && prefersChinese() ? 'zh' : 'en'),
)

// The first of the two languages that the browser asks for.
function prefersChinese(): boolean {
  const first = navigator.languages.find((tag) => /^(zh|en)\b/i.test(tag))
  return first !== undefined && /^zh/i.test(first)
}

export function t(key: Key, params: Params = {}): string {
  return fill(CATALOGS[locale.value].texts[key], params)
}

/** A code of the server as a sentence; one that this page does not know is told as it is. */
export function describe({ code, params }: Notice): string {
  const { codes, texts } = CATALOGS[locale.value]
  const text = codes[`${code}.${params.reason}`] ?? codes[code]
  if (text === undefined) return `${code} ${Object.values(params).join(' ')}`
  const shown = Object.fromEntries(Object.entries(params).map(([name, value]) => [name, value === '' ? texts.nothing : value]))
  // People count from one.
  return fill(text, typeof params.at === 'number' ? { ...shown, at: params.at + 1 } : shown)
}

export function formatNumber(value: number): string {
  return value.toLocaleString(locale.value === 'zh' ? 'zh-CN' : 'en')
}

function fill(text: string, params: Params): string {
  return text.replace(/\{(\w+)\}(?=(:\{port\})?)/g, (whole, name: string, port: string | undefined) => {
    const value = params[name]
    if (port !== undefined && String(value).includes(':')) return `[${value}]`
    return value === undefined ? whole : String(value)
  })
}

/** Follows language and theme on the document itself. */
export function startLook(): void {
  watchEffect(() => {
    document.documentElement.lang = locale.value === 'zh' ? 'zh-CN' : 'en'
    document.title = t('title')
    if (look.theme === 'system') delete document.documentElement.dataset.theme
    else document.documentElement.dataset.theme = look.theme
  })
}
