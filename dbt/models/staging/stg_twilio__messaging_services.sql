{{ staged('messaging_services', [
  ['sid', 'text'],
  ['account_sid', 'text'],
  ['friendly_name', 'text'],
  ['usecase', 'text'],
  ['us_app_to_person_registered', 'boolean']
]) }}
