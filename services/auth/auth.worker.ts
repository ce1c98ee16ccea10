import { serveDomain } from '../../platform/service/serve-domain.ts'
import { authService } from './service.ts'

serveDomain(authService)
