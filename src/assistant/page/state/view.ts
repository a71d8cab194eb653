import { ref } from 'vue'
import type { Key } from '../i18n/catalog.ts'

export type View = 'log' | 'framing' | 'node-red' | 'latency' | 'rate'

export const VIEWS: [View, Key][] = [
  ['log', 'views.log'],
  ['framing', 'views.framing'],
  ['node-red', 'views.node-red'],
  ['latency', 'views.latency'],
  ['rate', 'views.rate'],
]

export const view = ref<View>('log')
