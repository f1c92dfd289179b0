{{ staged('messaging_service_short_codes', [
  ['service_sid', 'text'],
  ['account_sid', 'text'],
  ['short_code', 'text', 'sender']
]) }}
